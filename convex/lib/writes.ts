// What all writes share: insert a row if its key is free, and know the session it belongs to.

import { getDocumentSize, type Value } from "convex/values";

import type { MutationCtx } from "../_generated/server";
import { plain, same } from "./content";
import { sessionByKey } from "./reads";
import { badValue, keyReused, noSession } from "./refusals";
import type { StillRow, StoredStill } from "./rows";

const MAX_DOCUMENT = 1024 * 1024;

// Convex would refuse a larger document too, but with a text that production hides.
export function checkSize(row: { key: string }) {
  const size = getDocumentSize(row as Record<string, Value>);
  if (size > MAX_DOCUMENT) throw badValue(`${row.key}: a row has at most ${MAX_DOCUMENT} bytes, this one ${size}.`, row.key);
}

// Looks each session up once a mutation. The session is only read: no write touches its row, so
// writers of one session don't get into each other's way.
export function sessions(ctx: MutationCtx) {
  const known = new Set<string>();
  return async function require(row: { key: string; sessionKey: string }) {
    if (known.has(row.sessionKey)) return;
    if ((await sessionByKey(ctx, row.sessionKey)) === null) throw noSession(row.sessionKey, row.key);
    known.add(row.sessionKey);
  };
}

type Known = { _id: unknown; _creationTime: number };

// Whether a row is new; false if it is there already, with this content.
export function isNew<Row extends { key: string }>(known: (Known & Row) | null, row: Row): boolean {
  if (known === null) return true;
  if (!same(plain(known), row)) throw keyReused(row.key);
  return false;
}

// A stored still as its writer told it: without what `attachStill` added.
export function told<T extends StoredStill & Known>(known: T, row: StillRow) {
  const { storageId, size, ...rest } = known;
  return row.size === undefined ? rest : { ...rest, size };
}
