// Routes, and nothing else: who may in, what is read and how errors are told is lib/gate.ts, what
// happens is production.ts. One request calls one function, because two would be two transactions;
// only `head` reads several pages, and writes nothing.

import type { FunctionArgs, FunctionReference } from "convex/server";
import { httpRouter } from "convex/server";

import { internal } from "./_generated/api";
import { httpAction, type ActionCtx } from "./_generated/server";
import { answer, authorized, Denied, failure, readJson, requireToken } from "./lib/gate";
import type { Head } from "./lib/head";

const http = httpRouter();
const production = internal.production;

http.route({
  path: "/production/health",
  method: "GET",
  handler: httpAction(async (_ctx, request) =>
    answer(200, { ok: true, service: "production-ledger", version: 1, authorized: await authorized(request) }),
  ),
});

type Mutation = FunctionReference<"mutation", "internal">;

// The body is the function's argument as it is: its validators say what is wrong with it.
function post<F extends Mutation>(path: string, mutation: F) {
  const handler = httpAction(async (ctx, request) => {
    try {
      await requireToken(request);
      const body = await readJson(request);
      return answer(200, { ok: true, ...(await ctx.runMutation(mutation, body as FunctionArgs<F>)) });
    } catch (error) {
      return failure(error);
    }
  });
  http.route({ path, method: "POST", handler });
}

function get(path: string, read: (ctx: ActionCtx, query: Query) => Promise<object>) {
  const handler = httpAction(async (ctx, request) => {
    try {
      await requireToken(request);
      return answer(200, { ok: true, ...(await read(ctx, new Query(request.url))) });
    } catch (error) {
      return failure(error);
    }
  });
  http.route({ path, method: "GET", handler });
}

class Query {
  private readonly given: URLSearchParams;

  constructor(url: string) {
    this.given = new URL(url).searchParams;
  }

  text(name: string): string {
    const value = this.given.get(name);
    if (value === null) throw new Denied(422, "BAD_VALUE", `Expected ?${name}=.`);
    return value;
  }

  maybe(name: string): string | undefined {
    return this.given.get(name) ?? undefined;
  }

  number(name: string): number | undefined {
    const value = this.given.get(name);
    if (value === null) return undefined;
    if (!/^-?\d{1,16}$/.test(value)) throw new Denied(422, "BAD_VALUE", `Expected a whole number as ?${name}=.`);
    return Number(value);
  }
}

post("/production/sessions/start", production.startSession);
post("/production/sessions/complete", production.completeSession);
post("/production/cameras", production.upsertCameras);
post("/production/events", production.appendEvents);
post("/production/stills", production.addStills);
post("/production/stills/upload-url", production.stillUploadUrl);
post("/production/stills/attach", production.attachStill);

get("/production/sessions", (ctx, query) =>
  ctx.runQuery(production.listSessions, { cursor: query.maybe("cursor"), limit: query.number("limit") }),
);
get("/production/session", (ctx, query) => ctx.runQuery(production.getSession, { externalId: query.text("externalId") }));
get("/production/cameras", (ctx, query) => ctx.runQuery(production.listCameras, { session: query.text("session") }));
get("/production/events", (ctx, query) =>
  ctx.runQuery(production.listEvents, {
    session: query.text("session"),
    afterSeq: query.number("afterSeq"),
    limit: query.number("limit"),
  }),
);
get("/production/stills", (ctx, query) =>
  ctx.runQuery(production.listStills, {
    session: query.text("session"),
    afterKey: query.maybe("afterKey"),
    limit: query.number("limit"),
  }),
);

// Pages of up to a thousand rows, until the end or until the reader should ask again.
const HEAD_PAGES = 40;

get("/production/head", async (ctx, query) => {
  const session = query.text("session");
  let cursor = query.maybe("cursor") ?? null;
  for (let n = 1; ; n++) {
    const head: Head = await ctx.runQuery(production.head, { session, cursor });
    if (head.cursor === null || n === HEAD_PAGES) return head;
    cursor = head.cursor;
  }
});

export default http;
