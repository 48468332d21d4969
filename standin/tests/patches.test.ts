// What patches.mjs adds to convex-test, each seen to work, on functions made for it.

import { defineSchema, defineTable, makeFunctionReference, mutationGeneric } from "convex/server";
import { v } from "convex/values";
import { convexTest } from "convex-test";
import { beforeEach, describe, expect, test } from "vitest";

const schema = defineSchema({
  things: defineTable({ name: v.optional(v.string()), counts: v.optional(v.record(v.string(), v.number())), any: v.optional(v.any()) }).index(
    "by_name",
    ["name"],
  ),
});

const functions = {
  badReturn: mutationGeneric({
    args: {},
    returns: v.string(),
    handler: async (ctx) => {
      await ctx.db.insert("things", {});
      return 5 as never;
    },
  }),
  take: mutationGeneric({ args: { any: v.any() }, handler: async () => null }),
};

const modules = { "./convex/_generated/api.js": async () => ({}), "./convex/made.ts": async () => functions };

let t: ReturnType<typeof made>;
const made = () => convexTest({ schema, modules });
const call = (name: string, args: object = {}) => t.mutation(makeFunctionReference<"mutation">(`made:${name}`), args as never);
const insert = (thing: object) => t.run((ctx) => ctx.db.insert("things", thing as never));
const named = (name: string | undefined) =>
  t.run(async (ctx) => (await ctx.db.query("things").withIndex("by_name", (q) => q.eq("name", name)).collect()).map((thing) => thing._id));

beforeEach(() => {
  t = made();
});

test("a mutation with a bad return value writes nothing", async () => {
  await expect(call("badReturn")).rejects.toThrow("Return value validation failed");
  expect(await t.run((ctx) => ctx.db.query("things").collect())).toEqual([]);
});

test("a record is checked", async () => {
  await insert({ counts: { a: 1 } });
  await expect(insert({ counts: "a text" })).rejects.toThrow("record");
  await expect(insert({ counts: { a: "one" } })).rejects.toThrow("number");
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

test("documents keep to Convex's limits", async () => {
  await insert({ any: deep(15) });
  await expect(insert({ any: deep(16) })).rejects.toThrow("too nested");
  await expect(insert({ any: "x".repeat(1024 * 1024) })).rejects.toThrow("Value is too large");
  await expect(insert({ any: Array(8193).fill(0) })).rejects.toThrow("Array length is too long");
  const wide = Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`f${i}`, 0]));
  await expect(insert({ any: wide })).rejects.toThrow("too many fields");
});

test("arguments too, and in Convex's own words", async () => {
  await expect(call("take", { any: Array(8193).fill(0) })).rejects.toThrow("Array length is too long");
  await expect(call("take", { any: 1, more: 1 })).rejects.toThrow(/^ArgumentValidationError: /);
});

describe("an index finds", () => {
  test("what was written, replaced, renamed and deleted, in a transaction and after it", async () => {
    const [a, b, c] = [await insert({ name: "x" }), await insert({ name: "x" }), await insert({})];
    expect(await named("x")).toEqual([a, b]);
    expect(await named(undefined)).toEqual([c]);
    const inside = await t.run(async (ctx) => {
      await ctx.db.patch("things", a, { name: "y" });
      await ctx.db.delete("things", b);
      const d = await ctx.db.insert("things", { name: "x" });
      const found = await ctx.db.query("things").withIndex("by_name", (q) => q.eq("name", "x")).collect();
      return { d, found: found.map((thing) => thing._id) };
    });
    expect(inside.found).toEqual([inside.d]);
    expect([await named("x"), await named("y")]).toEqual([[inside.d], [a]]);
  });

  test("nothing of what was rolled back", async () => {
    const failing = t.run(async (ctx) => {
      await ctx.db.insert("things", { name: "x" });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await named("x")).toEqual([]);
  });
});
