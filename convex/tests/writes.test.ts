import { beforeEach, describe, expect, test } from "vitest";

import { internal } from "../_generated/api";
import { camera, event, ledger, session, still } from "./made.shoot";

const { startSession, upsertCameras, appendEvents, addStills, completeSession } = internal.production;
const refused = (code: string) => expect.objectContaining({ data: expect.objectContaining({ code }) });

let t: ReturnType<typeof ledger>;
const rows = (table: "productionSessions" | "productionCameras" | "productionDirectorEvents" | "productionStills") =>
  t.run((ctx) => ctx.db.query(table).collect());

beforeEach(async () => {
  t = ledger();
  await t.mutation(startSession, { row: session() });
});

describe("a session", () => {
  test("is created once", async () => {
    expect(await t.mutation(startSession, { row: session() })).toEqual({ created: false, resumed: false, runs: 1 });
    expect(await rows("productionSessions")).toHaveLength(1);
  });

  test("resumes with more runs: live again, without its end, with its first start", async () => {
    await t.mutation(completeSession, { key: "shoot-1", endedAtMs: 5, finalState: { shots: 3 } });
    const later = session({ runs: 2, startedAtMs: 9, title: "Second day" });
    expect(await t.mutation(startSession, { row: later })).toEqual({ created: false, resumed: true, runs: 2 });
    const [row] = await rows("productionSessions");
    expect(row).toMatchObject({ status: "live", startedAtMs: 1_789_000_000_000, title: "Second day", runs: 2 });
    expect(row).not.toHaveProperty("endedAtMs");
    expect(row).not.toHaveProperty("finalState");
  });

  test("is not changed by a row with fewer runs", async () => {
    await t.mutation(startSession, { row: session({ runs: 3, title: "Known" }) });
    const old = session({ runs: 2, title: "Late" });
    expect(await t.mutation(startSession, { row: old })).toEqual({ created: false, resumed: false, runs: 3 });
    expect((await rows("productionSessions"))[0]).toMatchObject({ title: "Known", runs: 3 });
  });

  test("keeps its title where a later start names none", async () => {
    await t.mutation(startSession, { row: session({ title: "Named" }) });
    await t.mutation(startSession, { row: session({ runs: 2 }) });
    expect((await rows("productionSessions"))[0]).toMatchObject({ title: "Named", runs: 2 });
  });

  test("of another external id under the same key is refused", async () => {
    await expect(t.mutation(startSession, { row: session({ externalId: "other" }) })).rejects.toEqual(refused("KEY_REUSED"));
  });

  test("completes once, and keeps how it stood", async () => {
    const finalState = { mode: "ghost", verdicts: { AGREE: 3, MISSED: 1 }, evidenceDigest: "ab", seal: { digest: "cd", statement: 7, records: 9 } };
    const end = { key: "shoot-1", endedAtMs: 5, finalState };
    expect(await t.mutation(completeSession, end)).toEqual({ changed: true });
    expect(await t.mutation(completeSession, end)).toEqual({ changed: false });
    expect((await rows("productionSessions"))[0]).toMatchObject({ status: "completed", endedAtMs: 5, finalState });
    await expect(t.mutation(completeSession, { ...end, endedAtMs: 6 })).rejects.toEqual(refused("KEY_REUSED"));
    await expect(t.mutation(completeSession, { ...end, key: "nowhere" })).rejects.toEqual(refused("NO_SESSION"));
  });
});

describe("director events", () => {
  test("are written once each, whatever order their fields come in", async () => {
    expect(await t.mutation(appendEvents, { rows: [event(1), event(2)] })).toEqual({ inserted: 2, duplicates: 0 });
    const turned = Object.fromEntries(Object.entries(event(2)).reverse()) as ReturnType<typeof event>;
    expect(await t.mutation(appendEvents, { rows: [turned, event(3), event(3)] })).toEqual({ inserted: 1, duplicates: 2 });
    expect(await rows("productionDirectorEvents")).toHaveLength(3);
  });

  test("of other content under a known key are refused, and the whole batch with them", async () => {
    await t.mutation(appendEvents, { rows: [event(1)] });
    const batch = { rows: [event(2), event(1, { text: "Something else." })] };
    await expect(t.mutation(appendEvents, batch)).rejects.toEqual(refused("KEY_REUSED"));
    expect(await rows("productionDirectorEvents")).toHaveLength(1);
  });

  test("differ if one has a field more, or a null where the other has nothing", async () => {
    await t.mutation(appendEvents, { rows: [event(1)] });
    const { camera: _, ...without } = event(1);
    await expect(t.mutation(appendEvents, { rows: [without] })).rejects.toEqual(refused("KEY_REUSED"));
    const claim = { ...event(1).claim, raw: { type: "cut" } };
    await expect(t.mutation(appendEvents, { rows: [event(1, { claim })] })).rejects.toEqual(refused("KEY_REUSED"));
  });

  test("need their session", async () => {
    await expect(t.mutation(appendEvents, { rows: [event(1, { sessionKey: "gone" })] })).rejects.toEqual(refused("NO_SESSION"));
  });

  test("may judge another writer's row, and keep fields of a message that nobody knows", async () => {
    const claim = { id: "m1", type: "cut", atMs: 1, recvMs: 2, invented: [1, { deep: true }] };
    await t.mutation(appendEvents, { rows: [event(1, { judges: "foreign-7", claim })] });
    expect((await rows("productionDirectorEvents"))[0]).toMatchObject({ judges: "foreign-7", claim });
  });

  test.each([
    ["a seq that isn't whole", { seq: 1.5 }],
    ["an empty key", { key: "" }],
    ["a claim without its id", { claim: { type: "cut", atMs: 1, recvMs: 2 } }],
    ["a seen change whose time is a text", { seen: { id: "e1", type: "cut", atMs: "now" } }],
    ["a document over 1 MiB", { text: "x".repeat(1_100_000) }],
  ])("are refused with %s", async (_, wrong) => {
    await expect(t.mutation(appendEvents, { rows: [event(1, wrong)] })).rejects.toEqual(refused("BAD_VALUE"));
  });

  test.each([0, 101])("are refused %i at a time", async (count) => {
    const batch = Array.from({ length: count }, (_, i) => event(i + 1));
    await expect(t.mutation(appendEvents, { rows: batch })).rejects.toEqual(refused("BAD_VALUE"));
  });

  test("with a verdict or a field that the table doesn't know never reach it", async () => {
    const unknown = { ...event(1), verdict: "PERHAPS" } as never;
    await expect(t.mutation(appendEvents, { rows: [unknown] })).rejects.toThrow("ArgumentValidationError");
    const text = { ...event(1), claim: "a text" } as never;
    await expect(t.mutation(appendEvents, { rows: [text] })).rejects.toThrow("ArgumentValidationError");
    const extra = { ...event(1), invented: 1 } as never;
    await expect(t.mutation(appendEvents, { rows: [extra] })).rejects.toThrow("ArgumentValidationError");
  });
});

describe("cameras", () => {
  test("are the highest rev of each, whatever order they come in", async () => {
    expect(await t.mutation(upsertCameras, { rows: [camera(2, { label: "two" })] })).toEqual({ applied: 1, stale: 0 });
    expect(await t.mutation(upsertCameras, { rows: [camera(1), camera(3, { label: "three" })] })).toEqual({ applied: 1, stale: 1 });
    expect(await t.mutation(upsertCameras, { rows: [camera(3, { label: "three" })] })).toEqual({ applied: 0, stale: 1 });
    expect(await rows("productionCameras")).toMatchObject([{ rev: 3, label: "three" }]);
    await expect(t.mutation(upsertCameras, { rows: [camera(3, { label: "other" })] })).rejects.toEqual(refused("KEY_REUSED"));
  });

  test("lose a field that a higher rev doesn't have", async () => {
    await t.mutation(upsertCameras, { rows: [camera(1, { label: "one" })] });
    await t.mutation(upsertCameras, { rows: [camera(2)] });
    expect((await rows("productionCameras"))[0]).not.toHaveProperty("label");
  });
});

describe("stills", () => {
  const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; // of "hello"
  const { stillUploadUrl, attachStill } = internal.production;
  const key = "shoot-1/still/s1";
  const upload = (text: string) => t.run((ctx) => ctx.storage.store(new Blob([text])));

  beforeEach(() => t.mutation(addStills, { rows: [still("s1")] }));

  test("get their bytes once, and are the same still after that", async () => {
    expect(await t.mutation(stillUploadUrl, { key })).toHaveProperty("uploadUrl");
    const given = { key, storageId: await upload("hello"), sha256, size: 5 };
    expect(await t.mutation(attachStill, given)).toEqual({ attached: true });
    expect(await t.mutation(attachStill, given)).toEqual({ attached: false });
    expect(await t.mutation(stillUploadUrl, { key })).toEqual({ attached: true });
    expect(await t.mutation(addStills, { rows: [still("s1")] })).toEqual({ inserted: 0, duplicates: 1 });
    expect(await rows("productionStills")).toMatchObject([{ storageId: given.storageId, size: 5 }]);
  });

  test("drop a second upload of the same bytes", async () => {
    await t.mutation(attachStill, { key, storageId: await upload("hello"), sha256, size: 5 });
    const again = await upload("hello");
    expect(await t.mutation(attachStill, { key, storageId: again, sha256, size: 5 })).toEqual({ attached: false });
    expect(await t.run((ctx) => ctx.db.system.get("_storage", again))).toBeNull();
  });

  test("refuse other bytes than was said", async () => {
    const storageId = await upload("hallo");
    await expect(t.mutation(attachStill, { key, storageId, sha256, size: 5 })).rejects.toEqual(refused("BAD_VALUE"));
    const right = await upload("hello");
    await expect(t.mutation(attachStill, { key, storageId: right, sha256, size: 6 })).rejects.toEqual(refused("BAD_VALUE"));
    expect((await rows("productionStills"))[0]).not.toHaveProperty("storageId");
  });

  test("refuse bytes that the row's own digest denies, and others once they have theirs", async () => {
    await t.mutation(addStills, { rows: [still("s2", { sha256: "0".repeat(64) })] });
    const given = { storageId: await upload("hello"), sha256, size: 5 };
    await expect(t.mutation(attachStill, { key: "shoot-1/still/s2", ...given })).rejects.toEqual(refused("BAD_VALUE"));
    await t.mutation(attachStill, { key, ...given });
    await expect(t.mutation(attachStill, { key, ...given, size: 6 })).rejects.toEqual(refused("KEY_REUSED"));
  });

  test("that aren't there have no upload", async () => {
    await expect(t.mutation(stillUploadUrl, { key: "shoot-1/still/none" })).rejects.toEqual(refused("NO_STILL"));
  });
});
