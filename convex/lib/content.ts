// The content of a row: what was sent, without what Convex and `attachStill` add to it.

type Stored = { _id: unknown; _creationTime: number };

export function plain<T extends Stored>(document: T): Omit<T, "_id" | "_creationTime"> {
  const { _id, _creationTime, ...row } = document;
  return row;
}

// Whether two JSON values are the same, in whatever order their fields lie. Convex gives fields
// back sorted, so the texts can't be compared.
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left).filter((name) => left[name] !== undefined);
  const others = Object.keys(right).filter((name) => right[name] !== undefined);
  return names.length === others.length && names.every((name) => same(left[name], right[name]));
}

// One text for each row, by RFC 8785: sorted names, no spaces, numbers as ECMAScript writes them.
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
