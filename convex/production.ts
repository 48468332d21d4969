// The production ledger. All functions are internal: they are reached by http.ts, which asks for a
// token, or with a deploy key. Every write may be sent again, in part or as a whole, without doing
// anything twice: rows carry their own keys. One call is one transaction.

import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server";
import { attach } from "./lib/bytes";
import { plain, same } from "./lib/content";
import { advance } from "./lib/head";
import { checkLimit } from "./lib/pages";
import { camerasAfter, eventsAfter, sessionByKey, stillByKey, stillsAfter } from "./lib/reads";
import { keyReused, noSession, refusal } from "./lib/refusals";
import { cameraRow, eventRow, sessionRow, stillRow } from "./lib/rows";
import { checkCamera, checkEvent, checkFinalState, checkRows, checkSession, checkStill } from "./lib/shapes";
import { checkSize, isNew, sessions, told } from "./lib/writes";

const written = v.object({ inserted: v.number(), duplicates: v.number() });

// ------------------------------------------------------------------ writing

// Creates the session, or resumes it if `row.runs` is higher than what is known: it is live again,
// and its final state gone. Title, notes and mode replace what is known where given; startedAtMs
// stays. A row with fewer runs than known changes nothing.
export const startSession = internalMutation({
  args: { row: sessionRow },
  returns: v.object({ created: v.boolean(), resumed: v.boolean(), runs: v.number() }),
  handler: async (ctx, { row }) => {
    checkSession(row);
    checkSize(row);
    const known = await sessionByKey(ctx, row.key);
    if (known === null) {
      await ctx.db.insert("productionSessions", row);
      return { created: true, resumed: false, runs: row.runs };
    }
    if (known.externalId !== row.externalId || known.kind !== row.kind) throw keyReused(row.key);
    if (row.runs < known.runs) return { created: false, resumed: false, runs: known.runs };
    const resumed = row.runs > known.runs;
    const changes = {
      title: row.title ?? known.title,
      notes: row.notes ?? known.notes,
      mode: row.mode ?? known.mode,
      ...(resumed && { runs: row.runs, status: "live" as const, endedAtMs: undefined, finalState: undefined }),
    };
    if (!same({ ...known, ...changes }, known)) await ctx.db.patch("productionSessions", known._id, changes);
    return { created: false, resumed, runs: row.runs };
  },
});

// Writes cameras; of each the highest `rev` counts.
export const upsertCameras = internalMutation({
  args: { rows: v.array(cameraRow) },
  returns: v.object({ applied: v.number(), stale: v.number() }),
  handler: async (ctx, { rows }) => {
    checkRows(rows);
    const requireSession = sessions(ctx);
    let applied = 0;
    for (const row of rows) {
      checkCamera(row);
      checkSize(row);
      await requireSession(row);
      const known = await ctx.db
        .query("productionCameras")
        .withIndex("by_key", (q) => q.eq("key", row.key))
        .unique();
      if (known === null) {
        await ctx.db.insert("productionCameras", row);
      } else if (row.rev > known.rev) {
        await ctx.db.replace("productionCameras", known._id, row);
      } else if (row.rev === known.rev && !same(plain(known), row)) {
        throw keyReused(row.key);
      } else {
        continue;
      }
      applied += 1;
    }
    return { applied, stale: rows.length - applied };
  },
});

export const appendEvents = internalMutation({
  args: { rows: v.array(eventRow) },
  returns: written,
  handler: async (ctx, { rows }) => {
    checkRows(rows);
    const requireSession = sessions(ctx);
    let inserted = 0;
    for (const row of rows) {
      checkEvent(row);
      checkSize(row);
      const known = await ctx.db
        .query("productionDirectorEvents")
        .withIndex("by_key", (q) => q.eq("key", row.key))
        .unique();
      if (!isNew(known, row)) continue;
      await requireSession(row);
      await ctx.db.insert("productionDirectorEvents", row);
      inserted += 1;
    }
    return { inserted, duplicates: rows.length - inserted };
  },
});

export const addStills = internalMutation({
  args: { rows: v.array(stillRow) },
  returns: written,
  handler: async (ctx, { rows }) => {
    checkRows(rows);
    const requireSession = sessions(ctx);
    let inserted = 0;
    for (const row of rows) {
      checkStill(row);
      checkSize(row);
      const known = await stillByKey(ctx, row.key);
      if (!isNew(known && told(known, row), row)) continue;
      await requireSession(row);
      await ctx.db.insert("productionStills", row);
      inserted += 1;
    }
    return { inserted, duplicates: rows.length - inserted };
  },
});

// Where to POST the bytes of a still, unless it has them.
export const stillUploadUrl = internalMutation({
  args: { key: v.string() },
  returns: v.union(v.object({ uploadUrl: v.string() }), v.object({ attached: v.literal(true) })),
  handler: async (ctx, { key }) => {
    const still = await stillByKey(ctx, key);
    if (still === null) throw noStill(key);
    if (still.storageId !== undefined) return { attached: true as const };
    return { uploadUrl: await ctx.storage.generateUploadUrl() };
  },
});

// Gives a still the bytes that were uploaded for it, if they are what was said.
export const attachStill = internalMutation({
  args: { key: v.string(), storageId: v.id("_storage"), sha256: v.string(), size: v.number() },
  returns: v.object({ attached: v.boolean() }),
  handler: async (ctx, given) => {
    const still = await stillByKey(ctx, given.key);
    if (still === null) throw noStill(given.key);
    return { attached: await attach(ctx, still, given) };
  },
});

// Completes the session with how it stood: counts of verdicts, the digest of the evidence. Once
// completed it can be completed again only in the same way.
export const completeSession = internalMutation({
  args: { key: v.string(), endedAtMs: v.number(), finalState: v.record(v.string(), v.any()) },
  returns: v.object({ changed: v.boolean() }),
  handler: async (ctx, { key, endedAtMs, finalState }) => {
    checkFinalState(finalState, key);
    const known = await sessionByKey(ctx, key);
    if (known === null) throw noSession(key, key);
    const completed = { status: "completed" as const, endedAtMs, finalState };
    checkSize({ ...known, ...completed });
    if (known.status === "completed") {
      if (!same({ ...known, ...completed }, known)) throw keyReused(key);
      return { changed: false };
    }
    await ctx.db.patch("productionSessions", known._id, completed);
    return { changed: true };
  },
});

// ------------------------------------------------------------------ reading

export const getSession = internalQuery({
  args: { externalId: v.string() },
  handler: async (ctx, { externalId }) => {
    const row = await ctx.db
      .query("productionSessions")
      .withIndex("by_external_id", (q) => q.eq("externalId", externalId))
      .first();
    return { row: row && plain(row) };
  },
});

// The latest start first.
export const listSessions = internalQuery({
  args: { cursor: v.optional(v.union(v.string(), v.null())), limit: v.optional(v.number()) },
  handler: async (ctx, { cursor = null, limit }) => {
    const { page, isDone, continueCursor } = await ctx.db
      .query("productionSessions")
      .withIndex("by_started")
      .order("desc")
      .paginate({ cursor, numItems: checkLimit(limit, 100) });
    return { rows: page.map(plain), cursor: isDone ? null : continueCursor };
  },
});

// By cameraId: the first thousand.
export const listCameras = internalQuery({
  args: { session: v.string() },
  handler: async (ctx, { session }) => ({ rows: (await camerasAfter(ctx, session, "", 1000)).map(plain) }),
});

// Behind `afterSeq`, by (seq, key). A page never ends between two rows of one seq.
export const listEvents = internalQuery({
  args: { session: v.string(), afterSeq: v.optional(v.number()), limit: v.optional(v.number()) },
  handler: async (ctx, { session, afterSeq = 0, limit }) => ({
    rows: (await eventsAfter(ctx, session, afterSeq, checkLimit(limit))).map(plain),
  }),
});

// Behind `afterKey`, by key.
export const listStills = internalQuery({
  args: { session: v.string(), afterKey: v.optional(v.string()), limit: v.optional(v.number()) },
  handler: async (ctx, { session, afterKey = "", limit }) => ({
    rows: (await stillsAfter(ctx, session, afterKey, checkLimit(limit))).map(plain),
  }),
});

// Counts and digest, a page a call: ask again with the cursor until it is null (lib/head.ts).
export const head = internalQuery({
  args: { session: v.string(), cursor: v.optional(v.union(v.string(), v.null())) },
  handler: (ctx, { session, cursor = null }) => advance(ctx, session, cursor),
});

const noStill = (key: string) => refusal("NO_STILL", `${key}: there is no such still; add its row first.`, key);
