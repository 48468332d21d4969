// The functions of convex/ under convex-test: finding one by its path, and calling it.

import { makeFunctionReference } from "convex/server";
import { ConvexError, convexToJson, type JSONValue, jsonToConvex, type Value } from "convex/values";
import { convexTest, type TestConvex } from "convex-test";
import { randomBytes, randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";

import schema from "../../convex/schema";
import type { Faults } from "./faults";

const MODULES = {
  "./convex/_generated/api.js": () => import("../../convex/_generated/api.js"),
  "./convex/http.ts": () => import("../../convex/http"),
  "./convex/production.ts": () => import("../../convex/production"),
};
const CALLABLE: Record<string, () => Promise<object>> = { production: MODULES["./convex/production.ts"] };

export type Kind = "query" | "mutation" | "action";
export type Document = Record<string, Value> & { _id: string; _creationTime: number };

// What convex-test keeps for a deployment's database.
type Database = { _documents: Record<string, Document>; _storage: Record<string, Blob> };

type Registered = Partial<Record<"isQuery" | "isMutation" | "isAction" | "isPublic", boolean>>;

export type Outcome =
  | { ok: true; value: JSONValue }
  | { ok: false; message: string; data?: JSONValue };

const MAX_TOKENS = 10_000;

export class Backend extends EventEmitter {
  private convex!: TestConvex<typeof schema>;
  private tables!: Database;
  private readonly tokens = new Set<string>();

  constructor(
    private readonly faults: Faults,
    private readonly dev: boolean,
  ) {
    super();
    this.setMaxListeners(0);
    this.reset();
  }

  origin = "";

  reset() {
    // The hooks that patches.mjs puts into convex-test.
    Object.assign(globalThis, {
      convexLab: {
        atCommit: (path: string) => this.faults.atCommit(path),
        uploadUrl: () => this.uploadUrl(),
        database: (database: Database) => (this.tables = database),
      },
    });
    this.tokens.clear();
    this.convex = convexTest({ schema, modules: MODULES, transactionLimits: true });
  }

  // ---------------------------------------------------------------- functions

  // What kind of function this is; null for none that this caller may see.
  async find(path: string, admin: boolean): Promise<Kind | null> {
    const [module = "", name = "default"] = path.split(":");
    const exported = Object.hasOwn(CALLABLE, module) ? await CALLABLE[module]!() : {};
    const found = Object.hasOwn(exported, name) ? (exported as Record<string, Registered>)[name]! : {};
    if (!admin && !found.isPublic) return null;
    return found.isQuery ? "query" : found.isMutation ? "mutation" : found.isAction ? "action" : null;
  }

  async call(kind: Kind, path: string, args: JSONValue): Promise<Outcome> {
    try {
      const reference = makeFunctionReference<Kind>(path);
      const call = this.convex[kind] as (reference: unknown, args: Value) => Promise<Value | undefined>;
      const value = await call(reference, jsonToConvex(args));
      if (kind !== "query") this.emit("written");
      return { ok: true, value: convexToJson(value ?? null) };
    } catch (error) {
      return this.told(error);
    }
  }

  // As production tells it: nothing but the data of a ConvexError. `dev` shows the text too.
  private told(error: unknown): Outcome {
    const request = randomBytes(8).toString("hex");
    const text = this.dev ? `\nUncaught ${error instanceof Error ? error.stack : String(error)}` : "";
    const message = `[Request ID: ${request}] Server Error${text}`;
    if (error instanceof ConvexError) return { ok: false, message, data: convexToJson(error.data as Value) };
    return { ok: false, message };
  }

  // An HTTP action; null where it threw, with what Convex says of it.
  async fetch(path: string, init: RequestInit): Promise<{ response: Response } | { message: string }> {
    try {
      const response = await this.convex.fetch(path, init);
      if (init.method !== "GET") this.emit("written");
      return { response };
    } catch (error) {
      const outcome = this.told(error);
      return { message: outcome.ok ? "" : outcome.message };
    }
  }

  // ---------------------------------------------------------------- files

  private uploadUrl(): string {
    const token = randomUUID();
    this.tokens.add(token);
    if (this.tokens.size > MAX_TOKENS) this.tokens.delete(this.tokens.values().next().value!);
    return `${this.origin}/api/storage/upload?token=${token}`;
  }

  mayUpload(token: string | null): boolean {
    return token !== null && this.tokens.has(token);
  }

  store(bytes: Buffer, type: string): Promise<string> {
    return this.convex.run((ctx) => ctx.storage.store(new Blob([new Uint8Array(bytes)], { type })));
  }

  // ---------------------------------------------------------------- looking in

  // All committed documents of all tables, in the order of their writing.
  dump(): Record<string, Document[]> {
    const tables: Record<string, Document[]> = Object.fromEntries(Object.keys(schema.tables).map((name) => [name, []]));
    for (const document of Object.values(this.tables._documents)) {
      (tables[document._id.replace(/^\d+/, "")] ??= []).push(document);
    }
    return tables;
  }

  file(storageId: string): Blob | undefined {
    return this.tables._storage[storageId];
  }

  // The validators of the tables, for tests that hold other models against them.
  schema(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(schema.tables).map(([name, table]) => [name, (table as unknown as { export(): unknown }).export()]),
    );
  }
}
