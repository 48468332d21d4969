// The edge of the HTTP routes: who may in, what is read, and how errors are told.

import { ConvexError } from "convex/values";

import { trouble } from "./limits";
import type { Refusal, RefusalCode } from "./refusals";

const MAX_BODY = 1024 * 1024;

const STATUS: Record<RefusalCode, number> = { KEY_REUSED: 409, NO_SESSION: 409, NO_STILL: 409, BAD_VALUE: 422 };

// Errors of Convex itself that pass by themselves. Matched by their exact sentences: "too many
// fields" would pass for one of them, and be tried for ever.
const OVERLOADED = [
  /Documents read from or written to (the ".*" table|some table) changed while this mutation was being run and on every subsequent retry\./,
  /Data read or written in this mutation changed while it was being run\./,
  /Too many concurrent requests, backoff and try again\./,
];
const ARGUMENTS = /\bArgumentValidationError: /;

// An error with its HTTP status, known before any function is called.
export class Denied extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const answer = (status: number, body: object) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

export function failure(error: unknown): Response {
  if (error instanceof Denied) return refuse(error.status, { code: error.code, message: error.message });
  if (error instanceof ConvexError) {
    const data = error.data as Refusal;
    if (data.code in STATUS) return refuse(STATUS[data.code], data);
  }
  const text = error instanceof Error ? error.message : "";
  if (ARGUMENTS.test(text)) return refuse(422, { code: "BAD_VALUE", message: text.slice(0, 1000) });
  if (OVERLOADED.some((sentence) => sentence.test(text))) {
    return refuse(503, { code: "OVERLOADED", message: "Convex is busy; send the same request again later." });
  }
  throw error; // Convex logs it and answers 500
}

const refuse = (status: number, body: { code: string; message: string }) => answer(status, { ok: false, ...body });

// The digests are compared, not the texts, so that neither length nor content of the token shows
// in the time it takes.
export async function authorized(request: Request): Promise<boolean> {
  const token = process.env.PRODUCTION_TOKEN;
  const given = /^Bearer (.+)$/.exec(request.headers.get("Authorization") ?? "")?.[1];
  if (!token || !given) return false;
  const [a, b] = await Promise.all([token, given].map(sha256));
  let different = 0;
  a!.forEach((byte, i) => (different |= byte ^ b![i]!));
  return different === 0;
}

const sha256 = async (text: string) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

export async function requireToken(request: Request) {
  if (!(await authorized(request))) {
    throw new Denied(401, "UNAUTHORIZED", "Expected Authorization: Bearer with the token of this deployment (PRODUCTION_TOKEN).");
  }
}

export async function readJson(request: Request): Promise<Record<string, unknown>> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("Content-Type") ?? "")) {
    throw new Denied(415, "CONTENT_TYPE", "Expected Content-Type: application/json.");
  }
  const tooLarge = new Denied(413, "TOO_LARGE", `Expected a body of at most ${MAX_BODY} bytes; send fewer rows.`);
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_BODY) throw tooLarge;
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > MAX_BODY) throw tooLarge;
  const body = parse(bytes);
  const rows = Array.isArray(body.rows) ? body.rows : [];
  const found =
    rows.map((row, i) => trouble(row, `rows[${i}]`)).find((at) => at !== null) ??
    trouble({ ...body, rows: null }, "the body", 17);
  if (found) throw new Denied(422, "BAD_VALUE", `Convex can't hold this: ${found.slice(0, 300)}.`);
  return body;
}

function parse(bytes: ArrayBuffer): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Denied(422, "BAD_VALUE", "Expected a JSON text in UTF-8.");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Denied(422, "BAD_VALUE", "Expected a JSON object.");
  }
  return body as Record<string, unknown>;
}
