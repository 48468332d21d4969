import { defineSchema, defineTable } from "convex/server";

import { cameraRow, eventRow, sessionRow, storedStill } from "./lib/rows";

// Convex has no unique constraint. None is needed: a mutation that finds nothing under a key has
// read that empty range, so of two that insert it at once one runs again and finds the other's row.
export default defineSchema({
  productionSessions: defineTable(sessionRow)
    .index("by_key", ["key"])
    .index("by_external_id", ["externalId"])
    .index("by_started", ["startedAtMs", "key"]),
  productionCameras: defineTable(cameraRow)
    .index("by_key", ["key"])
    .index("by_session_camera", ["sessionKey", "cameraId", "key"]),
  productionDirectorEvents: defineTable(eventRow)
    .index("by_key", ["key"])
    .index("by_session_seq", ["sessionKey", "seq", "key"]),
  productionStills: defineTable(storedStill)
    .index("by_key", ["key"])
    .index("by_session_key", ["sessionKey", "key"]),
});
