// The rows of a session, in the order that readers rely on.

import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { page } from "./pages";

export function sessionByKey(ctx: QueryCtx, key: string) {
  return ctx.db
    .query("productionSessions")
    .withIndex("by_key", (q) => q.eq("key", key))
    .unique();
}

export function stillByKey(ctx: QueryCtx, key: string) {
  return ctx.db
    .query("productionStills")
    .withIndex("by_key", (q) => q.eq("key", key))
    .unique();
}

export function eventsAfter(ctx: QueryCtx, sessionKey: string, seq: number, limit: number) {
  const rows = ctx.db
    .query("productionDirectorEvents")
    .withIndex("by_session_seq", (q) => q.eq("sessionKey", sessionKey).gt("seq", seq));
  return page<Doc<"productionDirectorEvents">>(rows, limit, (last, next) => last.seq === next.seq);
}

export function stillsAfter(ctx: QueryCtx, sessionKey: string, key: string, limit: number) {
  const rows = ctx.db
    .query("productionStills")
    .withIndex("by_session_key", (q) => q.eq("sessionKey", sessionKey).gt("key", key));
  return page<Doc<"productionStills">>(rows, limit);
}

export function camerasAfter(ctx: QueryCtx, sessionKey: string, cameraId: string, limit: number) {
  const rows = ctx.db
    .query("productionCameras")
    .withIndex("by_session_camera", (q) => q.eq("sessionKey", sessionKey).gt("cameraId", cameraId));
  return page<Doc<"productionCameras">>(rows, limit, (last, next) => last.cameraId === next.cameraId);
}
