import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { failure } from "../lib/gate";
import { event, ledger, session } from "./made.shoot";

let t: ReturnType<typeof ledger>;

beforeEach(() => {
  t = ledger();
  vi.stubEnv("PRODUCTION_TOKEN", "right");
});
afterEach(() => vi.unstubAllEnvs());

const json = { "Content-Type": "application/json", Authorization: "Bearer right" };

async function post(path: string, body: unknown, headers: Record<string, string> = json) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await t.fetch(path, { method: "POST", headers, body: text });
  return { status: response.status, ...(await response.json()) };
}

const get = (path: string, headers: Record<string, string> = json) => t.fetch(path, { headers });

test("health answers everybody, and says whether the token is right", async () => {
  const answer = { ok: true, service: "production-ledger", version: 1 };
  expect(await (await get("/production/health", {})).json()).toEqual({ ...answer, authorized: false });
  expect(await (await get("/production/health")).json()).toEqual({ ...answer, authorized: true });
});

test.each([undefined, "Bearer wrong", "Bearer ", "Bearer righ", "right"])("%s is no token", async (Authorization) => {
  const headers = { "Content-Type": "application/json", ...(Authorization !== undefined && { Authorization }) };
  expect(await post("/production/events", {}, headers)).toMatchObject({ status: 401, ok: false, code: "UNAUTHORIZED" });
  expect((await get("/production/sessions", headers)).status).toBe(401);
});

test("without a token in the deployment nobody may in", async () => {
  vi.stubEnv("PRODUCTION_TOKEN", "");
  expect(await post("/production/events", {}, { ...json, Authorization: "Bearer " })).toMatchObject({ status: 401 });
});

test("a shoot goes through all routes", async () => {
  expect(await post("/production/sessions/start", { row: session() })).toEqual({ status: 200, ok: true, created: true, resumed: false, runs: 1 });
  expect(await post("/production/events", { rows: [event(1), event(1)] })).toEqual({ status: 200, ok: true, inserted: 1, duplicates: 1 });
  const read = await (await get("/production/events?session=shoot-1&afterSeq=-9007199254740992&limit=10")).json();
  expect(read).toEqual({ ok: true, rows: [event(1)] });
  expect(await (await get("/production/head?session=shoot-1")).json()).toMatchObject({ ok: true, events: 1, lastSeq: 1, cursor: null });
  const end = { key: "shoot-1", endedAtMs: 5, finalState: { verdicts: { AGREE: 1 } } };
  expect(await post("/production/sessions/complete", end)).toEqual({ status: 200, ok: true, changed: true });
});

test("a refusal names its code and the row", async () => {
  await post("/production/sessions/start", { row: session() });
  await post("/production/events", { rows: [event(1)] });
  const taken = await post("/production/events", { rows: [event(1, { text: "Other." })] });
  expect(taken).toMatchObject({ status: 409, ok: false, code: "KEY_REUSED", key: "shoot-1/claim/m1" });
  const lost = await post("/production/events", { rows: [event(2, { sessionKey: "gone" })] });
  expect(lost).toMatchObject({ status: 409, code: "NO_SESSION", key: "shoot-1/claim/m2" });
});

test.each([
  ["no JSON", "{"],
  ["no object", "[1]"],
  ["nothing of what is needed", {}],
  ["a name with a $", { rows: [event(1, { claim: { ...event(1).claim, raw: { $x: 1 } } })] }],
  ["too long a list", { rows: [event(1, { claim: { ...event(1).claim, raw: { list: Array(8193).fill(0) } } })] }],
  ["half a surrogate pair", { rows: [event(1, { text: "\ud800" })] }],
  ["more levels than a document has", { rows: [event(1, { claim: { ...event(1).claim, raw: { deep: JSON.parse("[".repeat(20) + "]".repeat(20)) } } })] }],
])("a body with %s is a bad value", async (_, body) => {
  expect(await post("/production/events", body)).toMatchObject({ status: 422, ok: false, code: "BAD_VALUE" });
});

test("a body is JSON, and at most 1 MiB", async () => {
  expect(await post("/production/events", {}, { ...json, "Content-Type": "text/plain" })).toMatchObject({ status: 415 });
  expect(await post("/production/events", " ".repeat(1024 * 1024 + 1))).toMatchObject({ status: 413, code: "TOO_LARGE" });
});

test.each([
  'Documents read from or written to the "productionSessions" table changed while this mutation was being run and on every subsequent retry. See https://docs.convex.dev/error#1',
  "Data read or written in this mutation changed while it was being run. Consider reducing the amount of data read",
  "Too many concurrent requests, backoff and try again.",
])("%s means: later", async (text) => {
  const response = failure(new Error(text));
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ ok: false, code: "OVERLOADED" });
});

test.each(["Object has too many fields (1025 > maximum number 1024)", "Your request couldn't be completed. Try again later."])(
  "%s stays Convex's own error",
  (text) => expect(() => failure(new Error(text))).toThrow(text),
);
