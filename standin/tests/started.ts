// The built stand-in as a process of its own, as other programs start it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ADMIN = "lab|admin";
export const TOKEN = "right";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export class Started {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<Started> {
    execFileSync(process.execPath, [at("../build.mjs")]);
    const child = spawn(process.execPath, [at("../dist/server.mjs")], {
      env: { ...process.env, PRODUCTION_TOKEN: TOKEN, LAB_ADMIN_KEY: ADMIN, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface(child.stdout!), "line")) as [string];
    return new Started((JSON.parse(line) as { url: string }).url, child);
  }

  stop() {
    this.child.kill();
  }

  request(path: string, body?: unknown, headers: Record<string, string> = {}) {
    return fetch(this.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}`, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async json(path: string, body?: unknown): Promise<any> {
    return (await this.request(path, body)).json();
  }

  fault(...faults: object[]) {
    return this.json("/__lab/faults", { faults });
  }
}

export const session = (key = "shoot-1", runs = 1) => ({
  key,
  externalId: key,
  kind: "photoshoot_performance" as const,
  status: "live" as const,
  startedAtMs: 1_789_000_000_000,
  runs,
});

export const event = (seq: number, key = "shoot-1") => ({
  key: `${key}/claim/m${seq}`,
  sessionKey: key,
  seq,
  type: "cut" as const,
  source: "director" as const,
  atMs: 1_789_000_000_000.5,
  verdict: "AGREE" as const,
  confidence: 1,
  text: "cam-a came on.",
});
