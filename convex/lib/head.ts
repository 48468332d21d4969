// The head of a session: how many rows it has, and a digest over their content, by which two
// ledgers can be compared without reading them. Computed page by page, each in a query of its own,
// because a long session holds more rows than one transaction may read.
//
// digest: D(0) is 64 zeros; D(n) = SHA-256 in hex of D(n-1), a line feed and the canonical text of
// row n. Rows: events by (seq, key), then stills by key, then cameras by (cameraId, key), each
// without `_id`, `_creationTime` and, in stills, `storageId` and `size`.

import type { QueryCtx } from "../_generated/server";
import { canonical, plain } from "./content";
import { badValue } from "./refusals";
import { camerasAfter, eventsAfter, stillsAfter } from "./reads";

const PAGE = 1000;
const FIRST = Number.MIN_SAFE_INTEGER;

export type Head = { events: number; lastSeq: number; stills: number; cameras: number; digest: string; cursor: string | null };

type State = Omit<Head, "cursor"> & { table: "events" | "stills" | "cameras"; after: number | string };

export async function advance(ctx: QueryCtx, session: string, cursor: string | null): Promise<Head> {
  const state = cursor === null ? start() : parse(cursor);
  const next = await step(ctx, session, state);
  const { events, lastSeq, stills, cameras, digest } = next ?? state;
  return { events, lastSeq, stills, cameras, digest, cursor: next && JSON.stringify(next) };
}

const start = (): State => ({
  table: "events",
  after: FIRST,
  events: 0,
  lastSeq: 0,
  stills: 0,
  cameras: 0,
  digest: "0".repeat(64),
});

// The state behind the next page; null behind the last.
async function step(ctx: QueryCtx, session: string, state: State): Promise<State | null> {
  if (state.table === "events") {
    const rows = await eventsAfter(ctx, session, state.after as number, PAGE);
    const last = rows.at(-1);
    if (!last) return { ...state, table: "stills", after: "" };
    return { ...state, after: last.seq, lastSeq: last.seq, events: state.events + rows.length, digest: await extend(state.digest, rows) };
  }
  if (state.table === "stills") {
    const rows = await stillsAfter(ctx, session, state.after as string, PAGE);
    const last = rows.at(-1);
    if (!last) return { ...state, table: "cameras", after: "" };
    const told = rows.map(({ storageId, size, ...row }) => row);
    return { ...state, after: last.key, stills: state.stills + rows.length, digest: await extend(state.digest, told) };
  }
  const rows = await camerasAfter(ctx, session, state.after as string, PAGE);
  const last = rows.at(-1);
  if (!last) return null;
  return { ...state, after: last.cameraId, cameras: state.cameras + rows.length, digest: await extend(state.digest, rows) };
}

async function extend(digest: string, rows: { _id: unknown; _creationTime: number }[]): Promise<string> {
  const encoder = new TextEncoder();
  for (const row of rows) {
    const bytes = encoder.encode(`${digest}\n${canonical(plain(row))}`);
    digest = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  }
  return digest;
}

export const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function parse(cursor: string): State {
  try {
    const state = JSON.parse(cursor) as State;
    const counts = [state.events, state.lastSeq, state.stills, state.cameras].every(Number.isSafeInteger);
    const after = state.table === "events" ? "number" : "string";
    const tables = ["events", "stills", "cameras"];
    if (counts && tables.includes(state.table) && typeof state.after === after && /^[0-9a-f]{64}$/.test(state.digest)) return state;
  } catch {
    // said below
  }
  throw badValue("Expected a head's cursor as this function gave it; begin without one.");
}
