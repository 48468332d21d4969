// JSON as Convex writes it: every number is a float and is printed with a point. Clients rely on
// it: Convex's Python client refuses a bare 5.

import type { JSONValue } from "convex/values";

export function write(value: JSONValue): string {
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter((field): field is [string, JSONValue] => field[1] !== undefined);
    return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${write(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
