// The functions API of .convex.cloud, and the upload of files.

import type { JSONValue } from "convex/values";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Backend, Kind, Outcome } from "./backend";
import { write } from "./json";
import { Refused, send, sendJson } from "./web";

// Whether the caller has the deploy key; a key or token that isn't known is refused, not ignored.
export function isAdmin(authorization: string | undefined, adminKey: string): boolean {
  if (!authorization) return false;
  if (adminKey && authorization === `Convex ${adminKey}`) return true;
  if (authorization.startsWith("Convex ")) {
    throw new Refused(403, "BadDeployKey", "The provided deploy key was invalid for this deployment.");
  }
  throw new Refused(401, "InvalidAuthHeader", "Could not parse the authorization header, or the token in it is of no known issuer.");
}

export type Call = { kind: Kind | null; path: string; args: JSONValue };

// What a request to /api wants called; null where it isn't a call.
export function wanted(pathname: string, body: Record<string, unknown>): Call | null {
  const run = /^\/api\/run\/(.+)\/([^/]+)$/.exec(pathname);
  if (run) return { kind: null, path: `${run[1]}:${run[2]}`, args: args(body.args) };
  const kind = /^\/api\/(query|mutation|action|function)$/.exec(pathname)?.[1];
  if (!kind) return null;
  if (typeof body.path !== "string") throw new Refused(400, "BadJsonBody", "Expected the path of a function.");
  return { kind: kind === "function" ? null : (kind as Kind), path: normal(body.path), args: args(body.args) };
}

// "production.js:head" and "production:head" are the same.
export const normal = (path: string) => path.replace(/\.[jt]s(?=:|$)/, "");

// Clients send the argument object alone, or in a list of one.
export function args(given: unknown): JSONValue {
  return ((Array.isArray(given) ? given[0] : given) ?? {}) as JSONValue;
}

export async function call(backend: Backend, { kind, path, args }: Call, admin: boolean): Promise<Outcome> {
  const found = await backend.find(path, admin);
  if (found === null || (kind !== null && kind !== found)) {
    return { ok: false, message: `Could not find ${admin ? "" : "public "}function for '${path}'. Did you forget to run \`npx convex dev\`?` };
  }
  return backend.call(found, path, args);
}

export function answer(response: ServerResponse, outcome: Outcome) {
  const body: JSONValue = outcome.ok
    ? { status: "success", value: outcome.value, logLines: [] }
    : { status: "error", errorMessage: outcome.message, logLines: [], ...(outcome.data !== undefined && { errorData: outcome.data }) };
  send(response, 200, "application/json", write(body));
}

export async function upload(backend: Backend, url: URL, request: IncomingMessage, response: ServerResponse, body: Buffer) {
  if (!backend.mayUpload(url.searchParams.get("token"))) {
    throw new Refused(401, "StorageTokenInvalid", "The upload URL is of no use (any more); ask for another.");
  }
  const digest = /^sha-256=(.+)$/i.exec(String(request.headers.digest ?? ""))?.[1];
  if (digest !== undefined && digest !== createHash("sha256").update(body).digest("base64")) {
    throw new Refused(400, "Sha256Mismatch", "The Digest header doesn't match the bytes.");
  }
  sendJson(response, 200, { storageId: await backend.store(body, request.headers["content-type"] ?? "application/octet-stream") });
}
