// node standin/dist/server.mjs [--port N]: prints {"url": …} when it is ready, on loopback only.
// Environment: PRODUCTION_TOKEN as in a deployment, LAB_ADMIN_KEY as its deploy key, LAB_DEV=1 to
// have errors told in full, as a development deployment does.

import { parseArgs } from "node:util";

import { StandIn } from "./server";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const standIn = new StandIn({ adminKey: process.env.LAB_ADMIN_KEY ?? "", dev: process.env.LAB_DEV === "1" });
const url = await standIn.listen(Number(values.port));
process.stdout.write(`${JSON.stringify({ url })}\n`);

const stop = () => {
  standIn.close();
  process.exit(0);
};
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
