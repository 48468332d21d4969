// One request: its fault, its route, its answer.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import * as api from "./api";
import { Backend } from "./backend";
import { type Fault, Faults, sleep, type StatusKind, STATUSES } from "./faults";
import { lab } from "./lab";
import { Stats, sessionOf } from "./stats";
import { Sync } from "./sync";
import { address, parse, readBody, Refused, send, sendJson } from "./web";

const MIB = 1024 * 1024;
const MAX_UPLOAD = 64 * MIB;
const MAX_SITE = 20 * MIB;
const MAX_API = 16 * MIB + 2000;
const MAX_LAB = MIB;

export type Settings = { adminKey: string; dev: boolean };

export class StandIn {
  readonly faults = new Faults();
  readonly stats = new Stats();
  readonly backend: Backend;
  private readonly server: Server;

  constructor(private readonly settings: Settings) {
    this.backend = new Backend(this.faults, settings.dev);
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.requestTimeout = 60_000;
    this.server.headersTimeout = 10_000;
    this.server.keepAliveTimeout = 60_000;
    this.server.maxConnections = 512;
    new Sync(this.server, this.backend, settings.adminKey);
  }

  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject).listen(port, "127.0.0.1", () => {
        const bound = this.server.address();
        const url = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : port}`;
        this.backend.origin = url;
        resolve(url);
      });
    });
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async serve(request: IncomingMessage, response: ServerResponse) {
    try {
      const url = address(request);
      await this.route(url, request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) return;
      const { status, code, message } =
        error instanceof Refused ? error : { status: 500, code: "InternalServerError", message: String(error) };
      if (status === 500 || status === 413) response.setHeader("Connection", "close");
      sendJson(response, status, { code, message });
    }
  }

  private async route(url: URL, request: IncomingMessage, response: ServerResponse) {
    const name = `${request.method} ${url.pathname}`;
    if (url.pathname.startsWith("/__lab/")) {
      return lab(this, name, await readBody(request, MAX_LAB), response);
    }
    const isUpload = name === "POST /api/storage/upload";
    const isApi = url.pathname.startsWith("/api/");
    const body = await readBody(request, isUpload ? MAX_UPLOAD : isApi ? MAX_API : MAX_SITE);
    const call = isApi && !isUpload && request.method === "POST" ? api.wanted(url.pathname, parse(body)) : null;
    const end = this.stats.begin(url.pathname, session(request, call, body));
    response.once("close", end);

    const fault = this.faults.strike(call ? `${name} ${call.path}` : name);
    if (fault && (await this.spoil(fault, request, response))) return;
    const answer = fault?.kind === "commit_then_drop" ? unanswered(request, response) : response;

    if (isUpload) return api.upload(this.backend, url, request, answer, body);
    if (call) {
      const admin = api.isAdmin(request.headers.authorization, this.settings.adminKey);
      return api.answer(answer, await api.call(this.backend, call, admin));
    }
    if (isApi) throw new Refused(404, "NotFound", `There is no ${name}.`);
    if (name === "GET /version") return send(answer, 200, "text/plain", "stand-in");
    return this.site(url, request, answer, body);
  }

  // Whether the fault was all that this request gets.
  private async spoil(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case "slow":
        await sleep(fault.ms);
        return false;
      case "commit_then_drop":
        return false;
      case "drop_before":
        request.socket.destroy();
        return true;
      case "html_502":
        send(response, 502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body>Bad gateway</body></html>");
        return true;
      default: {
        const [status, code, message] = STATUSES[fault.kind satisfies StatusKind];
        sendJson(response, status, { code, message });
        return true;
      }
    }
  }

  private async site(url: URL, request: IncomingMessage, response: ServerResponse, body: Buffer) {
    const method = request.method ?? "GET";
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
    }
    const hasBody = method !== "GET" && method !== "HEAD";
    const result = await this.backend.fetch(url.pathname + url.search, {
      method,
      headers,
      ...(hasBody && { body: new Uint8Array(body) }),
    });
    if ("message" in result) return sendJson(response, 500, { code: result.message });
    const bytes = Buffer.from(await result.response.arrayBuffer());
    send(response, result.response.status, result.response.headers.get("Content-Type") ?? "text/plain", bytes);
  }
}

function session(request: IncomingMessage, call: api.Call | null, body: Buffer): string | null {
  if (call) return sessionOf(call.args as Record<string, unknown>);
  if (request.method !== "POST") return null;
  try {
    return sessionOf(parse(body));
  } catch {
    return null; // not JSON: the function will say so
  }
}

// A response that is never sent: where it would be, the socket is destroyed.
function unanswered(request: IncomingMessage, response: ServerResponse): ServerResponse {
  response.writeHead = () => {
    request.socket.destroy();
    return response;
  };
  response.end = () => response;
  return response;
}
