// A made-up shoot for the tests. (Convex deploys no file with two dots in its name.)

import { convexTest } from "convex-test";

import type { EventRow, SessionRow, StillRow } from "../lib/rows";
import schema from "../schema";

const modules = {
  "../_generated/api.js": () => import("../_generated/api.js"),
  "../http.ts": () => import("../http"),
  "../production.ts": () => import("../production"),
};

export const ledger = () => convexTest({ schema, modules, transactionLimits: true });

export const session = (more: Partial<SessionRow> = {}): SessionRow => ({
  key: "shoot-1",
  externalId: "shoot-1",
  kind: "photoshoot_performance",
  status: "live",
  startedAtMs: 1_789_000_000_000,
  runs: 1,
  ...more,
});

export const event = (seq: number, more: Partial<EventRow> = {}): EventRow => ({
  key: `shoot-1/claim/m${seq}`,
  sessionKey: "shoot-1",
  seq,
  type: "cut",
  source: "director",
  atMs: 1_789_000_000_000 + seq * 1000,
  camera: "cam-a",
  claim: { id: `m${seq}`, type: "cut", atMs: 1, recvMs: 2, clockSuspect: false, raw: { type: "cut", lost: null } },
  verdict: "AGREE",
  confidence: 0.97,
  text: "cam-a came on.",
  ...more,
});

export const still = (id: string, more: Partial<StillRow> = {}): StillRow => ({
  key: `shoot-1/still/${id}`,
  sessionKey: "shoot-1",
  stillId: id,
  cameraId: "cam-a",
  atMs: 1_789_000_000_500,
  kind: "capture",
  ...more,
});

export const camera = (rev: number, more: { label?: string; cameraId?: string } = {}) => ({
  key: `shoot-1/camera/${more.cameraId ?? "cam-a"}`,
  sessionKey: "shoot-1",
  cameraId: "cam-a",
  rev,
  ...more,
});
