// Convex's rules for values, looked at before a function is called. Convex keeps them too, but an
// HTTP action then sees an error like any other, and a client would try the same row for ever.

const MAX_DEPTH = 16;
const MAX_FIELDS = 1024;
const MAX_ITEMS = 8192;
const NAME = /^(?![$_])[\x20-\x7e]{1,64}$/;

// The place of the first thing that Convex can't hold, and why; null if there is none.
export function trouble(value: unknown, place: string, depth = MAX_DEPTH): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : `${place}: half a surrogate pair`;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${place}: not a finite number`;
  if (typeof value !== "object" || value === null) return null;
  if (depth < 1) return `${place}: more than ${MAX_DEPTH} levels`;
  if (Array.isArray(value)) {
    if (value.length > MAX_ITEMS) return `${place}: more than ${MAX_ITEMS} items`;
    return first(value.map((item, i) => [`${place}[${i}]`, item] as const), depth);
  }
  const fields = Object.entries(value);
  if (fields.length > MAX_FIELDS) return `${place}: more than ${MAX_FIELDS} fields`;
  const bad = fields.find(([name]) => !NAME.test(name));
  if (bad) return `${place}: the field name ${JSON.stringify(bad[0].slice(0, 80))}`;
  return first(fields.map(([name, item]) => [`${place}.${name}`, item] as const), depth);
}

function first(items: readonly (readonly [string, unknown])[], depth: number): string | null {
  for (const [place, item] of items) {
    const found = trouble(item, place, depth - 1);
    if (found !== null) return found;
  }
  return null;
}
