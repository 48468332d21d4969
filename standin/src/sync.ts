// As much of the WebSocket sync protocol as Convex's own clients need: authentication by deploy
// key, queries that are run again after each write, mutations and actions.

import type { JSONValue } from "convex/values";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";

import { args, call, isAdmin, normal } from "./api";
import type { Backend, Kind, Outcome } from "./backend";
import { write } from "./json";

const MAX_MESSAGE = 16 * 1024 * 1024;
const MAX_REMEMBERED = 10_000;
const PING_MS = 10_000;

type Message = { type: string } & Record<string, any>;
type Query = { path: string; args: JSONValue };
type Version = { querySet: number; identity: number; ts: bigint };

export class Sync {
  // A mutation that comes again with the same session and request is answered, not run again.
  private readonly done = new Map<string, Promise<Outcome>>();
  private clock = 1n;

  constructor(
    server: Server,
    readonly backend: Backend,
    readonly adminKey: string,
  ) {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!/^\/api\/([^/?]+\/)?sync(\?|$)/.test(request.url ?? "")) {
        socket.destroy();
        return;
      }
      sockets.handleUpgrade(request, socket, head, (ws) => new Connection(ws, this));
    });
  }

  tick(): bigint {
    return ++this.clock;
  }

  once(key: string, run: () => Promise<Outcome>): Promise<Outcome> {
    const known = this.done.get(key);
    if (known) return known;
    const outcome = run();
    this.done.set(key, outcome);
    if (this.done.size > MAX_REMEMBERED) this.done.delete(this.done.keys().next().value!);
    return outcome;
  }
}

class Connection {
  private session = "";
  private admin = false;
  private version: Version = { querySet: 0, identity: 0, ts: 0n };
  private readonly queries = new Map<number, Query>();
  // Transitions follow one another without a gap, so messages are worked on one at a time.
  private turn: Promise<void> = Promise.resolve();
  private stale = false;

  constructor(
    private readonly ws: WebSocket,
    private readonly sync: Sync,
  ) {
    const refresh = () => this.refreshSoon();
    sync.backend.on("written", refresh);
    const ping = setInterval(() => this.send({ type: "Ping" }), PING_MS);
    ws.on("error", () => ws.terminate());
    ws.on("close", () => {
      clearInterval(ping);
      sync.backend.off("written", refresh);
    });
    ws.on("message", (data) => this.inTurn(() => this.receive(JSON.parse(String(data)) as Message)));
  }

  private inTurn(work: () => Promise<void>) {
    this.turn = this.turn.then(work).catch((error: unknown) => {
      this.send({ type: "FatalError", error: String(error) });
      this.ws.close();
    });
  }

  private async receive(message: Message) {
    switch (message.type) {
      case "Connect":
        this.session = String(message.sessionId);
        return;
      case "Authenticate":
        return this.authenticate(message);
      case "ModifyQuerySet":
        return this.modify(message);
      case "Mutation":
        return this.run("mutation", message);
      case "Action":
        return this.run("action", message);
      case "Event":
        return;
      default:
        throw new Error(`Unknown message ${message.type}`);
    }
  }

  private authenticate(message: Message) {
    try {
      this.admin = message.tokenType !== "None" && isAdmin(`Convex ${message.value}`, this.sync.adminKey);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.send({ type: "AuthError", error: text, baseVersion: message.baseVersion, authUpdateAttempted: true });
      return;
    }
    this.transition({ identity: message.baseVersion + 1 }, []);
  }

  private async modify(message: Message) {
    const changes: JSONValue[] = [];
    for (const change of message.modifications as Message[]) {
      if (change.type === "Add") {
        this.queries.set(change.queryId, { path: normal(change.udfPath), args: args(change.args) });
        changes.push(await this.answerOf(change.queryId));
      } else {
        this.queries.delete(change.queryId);
        changes.push({ type: "QueryRemoved", queryId: change.queryId });
      }
    }
    this.transition({ querySet: message.newVersion }, changes);
  }

  private async run(kind: Kind, message: Message) {
    const request = { kind, path: normal(message.udfPath), args: args(message.args) };
    const outcome = await this.sync.once(`${this.session} ${kind} ${message.requestId}`, () =>
      call(this.sync.backend, request, this.admin),
    );
    const type = kind === "mutation" ? "MutationResponse" : "ActionResponse";
    const common = { type, requestId: message.requestId, success: outcome.ok, logLines: [] };
    const failed = outcome.ok ? {} : { result: outcome.message, errorData: outcome.data };
    const value = outcome.ok ? { result: outcome.value } : {};
    if (kind === "action") {
      this.send({ ...common, ...value, ...failed });
      return;
    }
    // The client holds a mutation's answer back until it has seen a transition of its time, and
    // the Rust client does so with a ConvexError too.
    const ts = this.sync.tick();
    this.send({ ...common, ...value, ...failed, ts: outcome.ok ? encode(ts) : null });
    await this.refresh(ts);
  }

  private refreshSoon() {
    if (this.queries.size === 0 || this.stale) return;
    this.stale = true;
    this.inTurn(async () => {
      this.stale = false;
      await this.refresh(this.sync.tick());
    });
  }

  private async refresh(ts: bigint) {
    const changes: JSONValue[] = [];
    for (const id of this.queries.keys()) changes.push(await this.answerOf(id));
    this.transition({ ts }, changes);
  }

  private async answerOf(queryId: number): Promise<JSONValue> {
    const query = this.queries.get(queryId)!;
    const outcome = await call(this.sync.backend, { kind: "query", ...query }, this.admin);
    const common = { queryId, logLines: [], journal: null };
    if (outcome.ok) return { type: "QueryUpdated", ...common, value: outcome.value };
    return { type: "QueryFailed", ...common, errorMessage: outcome.message, ...(outcome.data !== undefined && { errorData: outcome.data }) };
  }

  private transition(change: Partial<Version>, modifications: JSONValue[]) {
    const start = this.version;
    this.version = { ...start, ts: this.sync.tick(), ...change };
    this.send({ type: "Transition", startVersion: wire(start), endVersion: wire(this.version), modifications });
  }

  private send(message: Message) {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(frame(message));
  }
}

const encode = (ts: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(ts);
  return bytes.toString("base64");
};

const wire = ({ querySet, identity, ts }: Version) => ({ querySet, identity, ts: encode(ts) });

// Values are written with their points, the protocol's own numbers without.
function frame(message: Message): string {
  const values = new Map<string, string>();
  const mark = (name: string, value: unknown) => {
    if (!["value", "result", "errorData"].includes(name) || value === undefined) return value;
    const place = `\u0000${values.size}\u0000`;
    values.set(JSON.stringify(place), write(value as JSONValue));
    return place;
  };
  const text = JSON.stringify(message, mark);
  return [...values].reduce((done, [place, value]) => done.replace(place, () => value), text);
}
