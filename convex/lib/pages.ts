// Reading by pages that stay far below what one transaction may read (16 MiB, 32,000 documents).

import { getDocumentSize, type Value } from "convex/values";

import { badValue } from "./refusals";

const MAX_LIMIT = 1000;
const MAX_BYTES = 4 * 1024 * 1024;

export function checkLimit(limit: number | undefined, usual = 500): number {
  if (limit === undefined) return usual;
  if (!Number.isSafeInteger(limit) || limit < 1) throw badValue("A page's limit should be a whole number above 0.");
  return Math.min(limit, MAX_LIMIT);
}

// The first rows, at most `limit` and about MAX_BYTES of them. A page doesn't end between two rows
// of which `together` says that they can't be told apart by where the next page begins.
export async function page<Row extends object>(
  rows: AsyncIterable<Row>,
  limit: number,
  together: (last: Row, next: Row) => boolean = () => false,
): Promise<Row[]> {
  const taken: Row[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const last = taken.at(-1);
    if (last && (taken.length >= limit || bytes >= MAX_BYTES) && !together(last, row)) break;
    taken.push(row);
    bytes += getDocumentSize(row as Record<string, Value>);
  }
  return taken;
}
