// What the stand-in adds to the functions: faults, files, limits, a look at the tables.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { patch } from "../patches.mjs";
import { ADMIN, event, session, Started } from "./started";

let server: Started;

beforeAll(async () => {
  server = await Started.start();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.json("/__lab/reset", {});
  await server.json("/production/sessions/start", { row: session() });
});

const write = (seq: number) => server.request("/production/events", { rows: [event(seq)] });
const written = async () => (await server.json("/__lab/dump")).productionDirectorEvents as { seq: number }[];

describe("a fault", () => {
  test.each([
    ["occ", 503, "OptimisticConcurrencyControlFailure"],
    ["expired", 503, "ExpiredInQueue"],
    ["concurrency", 429, "TooManyConcurrentRequests"],
    ["toomanywrites", 429, "TooManyWritesInTimePeriod"],
    ["internal", 500, "InternalServerError"],
    ["unavailable", 503, "ServiceUnavailable"],
  ])("%s answers %i for as often as was said, and nothing is written", async (kind, status, code) => {
    await server.fault({ kind, match: "/production/events", times: 1 });
    const struck = await write(1);
    expect([struck.status, await struck.json()]).toEqual([status, expect.objectContaining({ code })]);
    expect(await written()).toEqual([]);
    expect((await write(1)).status).toBe(200);
    expect((await server.json("/__lab/stats")).faults).toEqual({ [kind]: 1 });
  });

  test("inside the mutation rolls it back, and http.ts tells it", async () => {
    await server.fault({ kind: "occ", match: "production:appendEvents", times: 1, inner: true });
    const struck = await write(1);
    expect([struck.status, await struck.json()]).toEqual([503, expect.objectContaining({ ok: false, code: "OVERLOADED" })]);
    expect(await written()).toEqual([]);
  });

  test("inside that http.ts doesn't know becomes Convex's bare 500", async () => {
    await server.fault({ kind: "internal", match: "production:appendEvents", times: 1, inner: true });
    const struck = await write(1);
    expect(struck.status).toBe(500);
    expect(await struck.json()).toEqual({ code: expect.stringMatching(/^\[Request ID: [0-9a-f]+\] Server Error$/) });
  });

  test("commit_then_drop has written, drop_before hasn't, and neither answers", async () => {
    await server.fault({ kind: "commit_then_drop", match: "events", times: 1 });
    await expect(write(1)).rejects.toThrow();
    await server.fault({ kind: "drop_before", match: "events", times: 1 });
    await expect(write(2)).rejects.toThrow();
    expect((await written()).map((row) => row.seq)).toEqual([1]);
    expect(await (await write(1)).json()).toMatchObject({ duplicates: 1 });
  });

  test("html_502 is a page, slow is only late", async () => {
    await server.fault({ kind: "html_502", match: "events", times: 1 }, { kind: "slow", match: "events", ms: 150, times: 1 });
    const struck = await write(1);
    expect([struck.status, struck.headers.get("Content-Type")]).toEqual([502, "text/html"]);
    const before = performance.now();
    expect((await write(1)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(140);
  });

  test("with a probability strikes again at the same requests", async () => {
    const struck = async () => {
      await server.fault({ kind: "unavailable", match: "health", probability: 0.5, seed: 7 });
      const statuses: number[] = [];
      for (let i = 0; i < 40; i++) statuses.push((await server.request("/production/health")).status);
      return statuses;
    };
    const first = await struck();
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await struck()).toEqual(first);
  });

  test("that isn't known, or has no end said, is refused", async () => {
    for (const wrong of [{ kind: "gremlin", times: 1 }, { kind: "occ" }, { kind: "html_502", times: 1, inner: true }]) {
      expect((await server.request("/__lab/faults", { faults: [wrong] })).status).toBe(422);
    }
  });

  test("strikes a function of /api by its path", async () => {
    await server.fault({ kind: "occ", match: "production:head", times: 1 });
    const ask = (path: string) => server.request("/api/query", { path, args: { session: "shoot-1" } }, { Authorization: `Convex ${ADMIN}` });
    expect((await ask("production:listEvents")).status).toBe(200);
    expect((await ask("production:head")).status).toBe(503);
  });
});

test("requests of one session at once are counted", async () => {
  await server.fault({ kind: "slow", match: "events", ms: 100, times: 3 });
  await Promise.all([write(1), write(2), write(3)]);
  expect(await server.json("/__lab/stats")).toMatchObject({ maxInFlight: 3, maxInFlightOfASession: 3 });
});

test("numbers of /api have a point, errors of production say nothing but their data", async () => {
  const call = async (path: string, args: object) =>
    (await server.request(path, { args }, { Authorization: `Convex ${ADMIN}` })).text();
  expect(await call("/api/run/production/startSession", { row: session() })).toContain('"runs":1.0');
  expect(JSON.parse(await call("/api/run/production/appendEvents", { rows: [{}] }))).toEqual({
    status: "error",
    errorMessage: expect.stringMatching(/Server Error$/),
    logLines: [],
  });
});

test("a development deployment tells its errors", async () => {
  const dev = await Started.start({ LAB_DEV: "1" });
  try {
    const answer = await dev.request("/api/mutation", { path: "production:appendEvents", args: {} }, { Authorization: `Convex ${ADMIN}` });
    expect((await answer.json()).errorMessage).toContain("ArgumentValidationError");
  } finally {
    dev.stop();
  }
});

describe("a still's bytes", () => {
  const key = "shoot-1/still/s1";
  const bytes = Buffer.from("picture");
  const digest = createHash("sha256").update(bytes);
  const sha256 = digest.copy().digest("hex");
  const row = { key, sessionKey: "shoot-1", stillId: "s1", cameraId: "cam-a", atMs: 1, kind: "capture" };
  const upload = (url: string, Digest: string) =>
    fetch(url, { method: "POST", body: bytes, headers: { "Content-Type": "image/jpeg", Digest } });

  test("go up, are attached and lie in the export", async () => {
    await server.json("/production/stills", { rows: [row] });
    const { uploadUrl } = await server.json("/production/stills/upload-url", { key });
    const { storageId } = await (await upload(uploadUrl, `sha-256=${digest.copy().digest("base64")}`)).json();
    expect(await server.json("/production/stills/attach", { key, storageId, sha256, size: 7 })).toEqual({ ok: true, attached: true });
    expect(await server.json("/production/stills/upload-url", { key })).toEqual({ ok: true, attached: true });
    expect((await server.json("/production/stills?session=shoot-1")).rows).toEqual([{ ...row, storageId, size: 7 }]);
    const zip = Buffer.from(await (await server.request("/__lab/export")).arrayBuffer());
    expect(zip.includes(`_storage/${storageId}`)).toBe(true);
    expect(zip.includes(bytes)).toBe(true);
    expect(zip.includes('"atMs":1.0')).toBe(true);
  });

  test("are refused with a wrong digest, or a URL that nobody gave", async () => {
    await server.json("/production/stills", { rows: [row] });
    const { uploadUrl } = await server.json("/production/stills/upload-url", { key });
    expect((await upload(uploadUrl, "sha-256=AAAA")).status).toBe(400);
    expect((await upload(`${server.url}/api/storage/upload?token=made-up`, "")).status).toBe(401);
  });
});

test("a body over the ceiling is cut off", async () => {
  const lab = await fetch(`${server.url}/__lab/faults`, { method: "POST", body: "x".repeat(1024 * 1024 + 1) }).catch(() => null);
  expect([413, undefined]).toContain(lab?.status);
  expect((await server.request("/production/health")).status).toBe(200);
});

test("the schema can be read, for other models to be held against", async () => {
  const { productionDirectorEvents } = await server.json("/__lab/schema");
  expect(productionDirectorEvents.documentType.value).toHaveProperty("judges");
});

test("patching fails where upstream's text has moved", () => {
  expect(() => patch("something else")).toThrow("convex-test has moved");
});
