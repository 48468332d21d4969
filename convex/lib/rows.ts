// The rows of the four tables as validators: what a client may send, and what is stored.
//
// Strict at the top level, where tap relies on every field. `claim`, `seen` and `finalState` are
// records that `shapes.ts` looks into: a field more in a director's message must not lose the row.

import { v, type Infer } from "convex/values";

const literals = <const T extends string>(...names: T[]) => v.union(...names.map((name) => v.literal(name)));

export const SESSION_KIND = "photoshoot_performance";

const nested = v.record(v.string(), v.any());

export const sessionRow = v.object({
  key: v.string(),
  externalId: v.string(),
  kind: v.literal(SESSION_KIND),
  title: v.optional(v.string()),
  notes: v.optional(v.string()),
  mode: v.optional(v.string()),
  status: literals("live", "completed"),
  startedAtMs: v.number(),
  endedAtMs: v.optional(v.number()),
  runs: v.number(),
  finalState: v.optional(nested),
});

export const cameraRow = v.object({
  key: v.string(),
  sessionKey: v.string(),
  cameraId: v.string(),
  role: v.optional(v.string()),
  label: v.optional(v.string()),
  placement: v.optional(v.string()),
  source: v.optional(v.string()),
  rev: v.number(),
});

export const eventType = literals(
  "session.start",
  "session.end",
  "cut",
  "dissolve",
  "fade",
  "wipe",
  "hold",
  "release",
  "mode",
  "proposal",
  "accept",
  "veto",
  "still_capture",
  "still_marker",
  "camera",
  "music",
  "message",
);

export const verdictCode = literals(
  "AGREE",
  "LATE",
  "EARLY",
  "WRONG_CAMERA",
  "MISSED",
  "UNANNOUNCED",
  "REVERTED",
  "SOFT",
  "HOLD_KEPT",
  "HOLD_BROKEN",
  "OFF_CAMERA",
  "COMPOSED",
  "AMBIGUOUS",
  "DUPLICATE",
  "OUT_OF_ORDER",
  "CLOCK_SUSPECT",
  "NOTED",
  "UNSEEN",
);

export const shotState = literals("live", "transition", "composed", "ambiguous", "off_camera", "black", "unseen");

export const eventRow = v.object({
  key: v.string(),
  sessionKey: v.string(),
  seq: v.number(),
  type: eventType,
  source: literals("director", "witness"),
  atMs: v.number(),
  camera: v.optional(v.string()),
  fromCamera: v.optional(v.string()),
  mode: v.optional(v.string()),
  claim: v.optional(nested),
  seen: v.optional(nested),
  verdict: verdictCode,
  confidence: v.number(),
  lagMs: v.optional(v.number()),
  text: v.string(),
  // Where another writer keeps the director's messages: the key or id of the row that this judges.
  judges: v.optional(v.string()),
});

const still = {
  key: v.string(),
  sessionKey: v.string(),
  stillId: v.string(),
  cameraId: v.string(),
  atMs: v.number(),
  kind: literals("capture", "marker"),
  uri: v.optional(v.string()),
  sha256: v.optional(v.string()),
  size: v.optional(v.number()),
  programState: v.optional(shotState),
  programCamera: v.optional(v.string()),
  programConfidence: v.optional(v.number()),
};

// What a client says of a still. Only `attachStill`, which has looked at the bytes, sets storageId.
export const stillRow = v.object(still);
export const storedStill = v.object({ ...still, storageId: v.optional(v.id("_storage")) });

export type SessionRow = Infer<typeof sessionRow>;
export type CameraRow = Infer<typeof cameraRow>;
export type EventRow = Infer<typeof eventRow>;
export type StillRow = Infer<typeof stillRow>;
export type StoredStill = Infer<typeof storedStill>;
