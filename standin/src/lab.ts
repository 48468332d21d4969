// What a real deployment doesn't have: faults on request, and a look behind the functions.

import type { ServerResponse } from "node:http";

import type { Backend } from "./backend";
import { BadFault, type Faults } from "./faults";
import { snapshot } from "./snapshot";
import type { Stats } from "./stats";
import { parse, Refused, send, sendJson } from "./web";

export async function lab(
  { backend, faults, stats }: { backend: Backend; faults: Faults; stats: Stats },
  route: string,
  body: Buffer,
  response: ServerResponse,
) {
  switch (route) {
    case "POST /__lab/faults":
      try {
        faults.arm(parse(body).faults);
      } catch (error) {
        if (error instanceof BadFault) throw new Refused(422, "BadFault", error.message);
        throw error;
      }
      return sendJson(response, 200, { ok: true });
    case "POST /__lab/reset":
      faults.clear();
      stats.clear();
      backend.reset();
      return sendJson(response, 200, { ok: true });
    case "GET /__lab/dump":
      return sendJson(response, 200, backend.dump());
    case "GET /__lab/schema":
      return sendJson(response, 200, backend.schema());
    case "GET /__lab/stats":
      return sendJson(response, 200, {
        requests: stats.requests,
        byPath: stats.byPath,
        maxInFlight: stats.maxInFlight,
        maxInFlightOfASession: stats.maxInFlightOfASession,
        faults: faults.fired,
      });
    case "GET /__lab/export":
      return send(response, 200, "application/zip", await snapshot(backend));
    default:
      throw new Refused(404, "NotFound", `There is no ${route}.`);
  }
}
