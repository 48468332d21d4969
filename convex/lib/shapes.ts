// What validators can't say: whole numbers, keys that aren't empty, and the few fields that
// tap reads in the nested objects, while fields it doesn't know may stay.

import { badValue } from "./refusals";
import type { CameraRow, EventRow, SessionRow, StillRow } from "./rows";

type Kind = "string" | "number" | "boolean" | "object";
type Shape = Record<string, Kind>;
type Nested = Record<string, unknown>;

const CLAIM = { needed: { id: "string", type: "string", atMs: "number", recvMs: "number" }, known: { raw: "object" } } as const;
const SEEN = {
  needed: { id: "string", type: "string", atMs: "number" },
  known: { from: "string", to: "string", confidence: "number", durationMs: "number", frame: "number" },
} as const;
const FINAL_STATE = {
  needed: {},
  known: {
    programState: "string",
    programCamera: "string",
    mode: "string",
    hold: "boolean",
    verdicts: "object",
    shots: "number",
    programFrames: "number",
    unseenMs: "number",
    evidenceDigest: "string",
    seal: "object",
  },
} as const;

// The checkpoint that the local record is pinned by.
const SEAL = {
  needed: { digest: "string" },
  known: { statement: "number", records: "number", root: "string", key: "string" },
} as const;

export const MAX_ROWS = 100;

export function checkRows(rows: readonly unknown[]) {
  if (rows.length < 1 || rows.length > MAX_ROWS) {
    throw badValue(`Expected 1 to ${MAX_ROWS} rows in a request, got ${rows.length}; send fewer at a time.`);
  }
}

export function checkSession(row: SessionRow) {
  checkKey(row.key);
  checkWhole(row.runs, "runs", row.key);
  if (row.finalState) checkFinalState(row.finalState, row.key);
}

export function checkCamera(row: CameraRow) {
  checkKey(row.key);
  checkWhole(row.rev, "rev", row.key);
}

export function checkEvent(row: EventRow) {
  checkKey(row.key);
  checkWhole(row.seq, "seq", row.key);
  if (row.claim) check(row.claim, CLAIM.needed, CLAIM.known, "claim", row.key);
  if (row.seen) check(row.seen, SEEN.needed, SEEN.known, "seen", row.key);
}

export function checkStill(row: StillRow) {
  checkKey(row.key);
  if (row.size !== undefined) checkWhole(row.size, "size", row.key);
}

export function checkFinalState(state: Nested, key: string) {
  check(state, FINAL_STATE.needed, FINAL_STATE.known, "finalState", key);
  if (state.seal) check(state.seal as Nested, SEAL.needed, SEAL.known, "finalState.seal", key);
  for (const [code, count] of Object.entries((state.verdicts ?? {}) as Nested)) {
    if (typeof count !== "number") throw badValue(`${key}: finalState.verdicts.${code} should be a number.`, key);
    checkWhole(count, `finalState.verdicts.${code}`, key);
  }
}

function check(value: Nested, needed: Shape, known: Shape, place: string, key: string) {
  for (const [name, kind] of Object.entries(needed)) {
    if (kindOf(value[name]) !== kind) throw badValue(`${key}: ${place}.${name} should be a ${kind}.`, key);
  }
  for (const [name, kind] of Object.entries(known)) {
    if (value[name] != null && kindOf(value[name]) !== kind) {
      throw badValue(`${key}: ${place}.${name}, where given, should be a ${kind}.`, key);
    }
  }
}

const kindOf = (value: unknown) => (value === null || Array.isArray(value) ? "other" : typeof value);

function checkKey(key: string) {
  if (key === "") throw badValue("A row's key should be its name for good, not an empty text.");
}

function checkWhole(value: number, place: string, key: string) {
  if (!Number.isSafeInteger(value)) throw badValue(`${key}: ${place} should be a whole number within 2^53.`, key);
}
