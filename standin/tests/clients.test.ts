// Convex's own clients, which don't know that this is a stand-in.

import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { ADMIN, event, session, Started } from "./started";

let server: Started;

beforeAll(async () => {
  server = await Started.start();
});
afterAll(() => server.stop());
beforeEach(() => server.json("/__lab/reset", {}));

const mutation = (name: string) => makeFunctionReference<"mutation", any, any>(`production:${name}`);
const query = (name: string) => makeFunctionReference<"query", any, any>(`production:${name}`);

type WithAdmin = { setAdminAuth(key: string): void };

test("ConvexHttpClient writes, reads and is refused", async () => {
  const client = new ConvexHttpClient(server.url, { logger: false });
  await expect(client.mutation(mutation("startSession"), { row: session() })).rejects.toThrow("Could not find public function");
  (client as unknown as WithAdmin).setAdminAuth(ADMIN);
  expect(await client.mutation(mutation("startSession"), { row: session() })).toEqual({ created: true, resumed: false, runs: 1 });
  expect(await client.mutation(mutation("appendEvents"), { rows: [event(1)] })).toEqual({ inserted: 1, duplicates: 0 });
  expect(await client.query(query("listEvents"), { session: "shoot-1" })).toEqual({ rows: [event(1)] });
  const taken = client.mutation(mutation("appendEvents"), { rows: [{ ...event(1), text: "Other." }] });
  await expect(taken).rejects.toMatchObject({ data: { code: "KEY_REUSED", key: "shoot-1/claim/m1" } });
});

test("a wrong deploy key is refused", async () => {
  const client = new ConvexHttpClient(server.url, { logger: false });
  (client as unknown as WithAdmin).setAdminAuth("wrong");
  await expect(client.query(query("listSessions"), {})).rejects.toThrow("BadDeployKey");
});

test("ConvexClient over WebSocket sees what others write", async () => {
  const client = new ConvexClient(server.url, { unsavedChangesWarning: false, logger: false });
  try {
    (client.client as unknown as WithAdmin).setAdminAuth(ADMIN);
    expect(await client.mutation(mutation("startSession"), { row: session() })).toMatchObject({ created: true });
    await expect(client.mutation(mutation("completeSession"), { key: "no", endedAtMs: 1, finalState: {} })).rejects.toMatchObject({
      data: { code: "NO_SESSION" },
    });
    const resumed = new Promise<void>((resolve) => {
      client.onUpdate(query("getSession"), { externalId: "shoot-1" }, ({ row }) => row?.runs === 2 && resolve());
    });
    await server.json("/production/sessions/start", { row: session("shoot-1", 2) });
    await resumed;
  } finally {
    await client.close();
  }
});

test("npx convex run calls a function", { timeout: 30_000 }, async () => {
  const cli = fileURLToPath(new URL("../../node_modules/convex/bin/main.js", import.meta.url));
  const run = (name: string, args: object) =>
    promisify(execFile)(process.execPath, [cli, "run", `production:${name}`, JSON.stringify(args), "--url", server.url, "--admin-key", ADMIN], {
      timeout: 25_000,
    });
  const { stdout } = await run("startSession", { row: session() });
  expect(JSON.parse(stdout)).toEqual({ created: true, resumed: false, runs: 1 });
});
