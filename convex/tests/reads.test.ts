import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";

import { internal } from "../_generated/api";
import { canonical } from "../lib/content";
import { camera, event, ledger, session, still } from "./made.shoot";

const { startSession, upsertCameras, appendEvents, addStills } = internal.production;
const { getSession, listSessions, listEvents, listStills, listCameras, head } = internal.production;

let t: ReturnType<typeof ledger>;

beforeEach(async () => {
  t = ledger();
  await t.mutation(startSession, { row: session() });
});

async function whole(session: string) {
  let last = await t.query(head, { session });
  let pages = 1;
  while (last.cursor !== null) {
    last = await t.query(head, { session, cursor: last.cursor });
    pages += 1;
  }
  return { ...last, pages };
}

test("rows come back as they were sent, without what Convex adds", async () => {
  await t.mutation(appendEvents, { rows: [event(1)] });
  expect(await t.query(listEvents, { session: "shoot-1" })).toEqual({ rows: [event(1)] });
  expect(await t.query(getSession, { externalId: "shoot-1" })).toEqual({ row: session() });
  expect(await t.query(getSession, { externalId: "none" })).toEqual({ row: null });
});

test("a page of events never ends between two rows of one seq", async () => {
  const twin = { ...event(2), key: "shoot-1/claim/a-twin" };
  await t.mutation(appendEvents, { rows: [event(3), event(2), twin, event(1)] });
  const page = async (afterSeq: number) =>
    (await t.query(listEvents, { session: "shoot-1", afterSeq, limit: 2 })).rows.map((row) => row.key);
  expect(await page(0)).toEqual(["shoot-1/claim/m1", "shoot-1/claim/a-twin", "shoot-1/claim/m2"]);
  expect(await page(2)).toEqual(["shoot-1/claim/m3"]);
  expect(await page(3)).toEqual([]);
});

test("a page ends early where rows are large", async () => {
  const large = (seq: number) => event(seq, { text: "x".repeat(900_000) });
  for (let seq = 1; seq <= 8; seq++) await t.mutation(appendEvents, { rows: [large(seq)] });
  const { rows } = await t.query(listEvents, { session: "shoot-1" });
  expect(rows.map((row) => row.seq)).toEqual([1, 2, 3, 4, 5]);
});

test("stills come by key, cameras by id, sessions the latest first", async () => {
  await t.mutation(addStills, { rows: ["s3", "s1", "s2"].map((id) => still(id)) });
  const { rows } = await t.query(listStills, { session: "shoot-1", afterKey: "shoot-1/still/s1", limit: 1 });
  expect(rows.map((row) => row.stillId)).toEqual(["s2"]);
  await t.mutation(upsertCameras, { rows: [camera(1, { cameraId: "cam-b" }), camera(1)] });
  expect((await t.query(listCameras, { session: "shoot-1" })).rows.map((row) => row.cameraId)).toEqual(["cam-a", "cam-b"]);

  await t.mutation(startSession, { row: session({ key: "later", externalId: "later", startedAtMs: 1_790_000_000_000 }) });
  const first = await t.query(listSessions, { limit: 1 });
  expect(first.rows.map((row) => row.key)).toEqual(["later"]);
  const second = await t.query(listSessions, { limit: 1, cursor: first.cursor });
  expect(second).toMatchObject({ rows: [{ key: "shoot-1" }], cursor: null });
});

test.each([0, 1.5, -3])("a page's limit of %d is refused", async (limit) => {
  await expect(t.query(listEvents, { session: "shoot-1", limit })).rejects.toMatchObject({ data: { code: "BAD_VALUE" } });
});

describe("the head", () => {
  test("of an empty session is zero", async () => {
    expect(await whole("shoot-1")).toMatchObject({ events: 0, lastSeq: 0, stills: 0, cameras: 0, digest: "0".repeat(64) });
  });

  test("counts all pages, and its digest is the one that is described", async () => {
    const events = Array.from({ length: 1050 }, (_, i) => event(i + 1));
    for (let i = 0; i < events.length; i += 100) await t.mutation(appendEvents, { rows: events.slice(i, i + 100) });
    await t.mutation(addStills, { rows: [still("s1")] });
    await t.mutation(upsertCameras, { rows: [camera(1)] });
    const digest = [...events, still("s1"), camera(1)].reduce(
      (before, row) => createHash("sha256").update(`${before}\n${canonical(row)}`).digest("hex"),
      "0".repeat(64),
    );
    expect(await whole("shoot-1")).toMatchObject({ events: 1050, lastSeq: 1050, stills: 1, cameras: 1, digest });
  });

  test("takes no cursor that it didn't give", async () => {
    const call = t.query(head, { session: "shoot-1", cursor: '{"table":"_storage"}' });
    await expect(call).rejects.toMatchObject({ data: { code: "BAD_VALUE" } });
  });
});

test("the canonical text is that of RFC 8785", () => {
  const value = { b: [1789000000150, 1e21, 1e-7, 0.1, -0], a: { "\u20ac": "\u0007\"\u2028", n: null, t: true } };
  expect(canonical(value)).toBe('{"a":{"n":null,"t":true,"€":"\\u0007\\"\u2028"},"b":[1789000000150,1e+21,1e-7,0.1,0]}');
});
