// Faults that are asked for: which request they strike, and what Convex would say.

export const STATUSES = {
  occ: [503, "OptimisticConcurrencyControlFailure", "Documents read from or written to the \"productionDirectorEvents\" table changed while this mutation was being run and on every subsequent retry. See https://docs.convex.dev/error#1"],
  expired: [503, "ExpiredInQueue", "Too many concurrent requests, backoff and try again."],
  concurrency: [429, "TooManyConcurrentRequests", "Too many concurrent requests, backoff and try again."],
  toomanywrites: [429, "TooManyWritesInTimePeriod", "Too many writes per second. Your deployment is limited to 4 MiB written per second."],
  internal: [500, "InternalServerError", "Your request couldn't be completed. Try again later."],
  unavailable: [503, "ServiceUnavailable", "Service temporarily unavailable"],
} as const satisfies Record<string, readonly [number, string, string]>;

export type StatusKind = keyof typeof STATUSES;
export type FaultKind = StatusKind | "slow" | "drop_before" | "commit_then_drop" | "html_502";

const KINDS: readonly string[] = [...Object.keys(STATUSES), "slow", "drop_before", "commit_then_drop", "html_502"];
const INSIDE: readonly string[] = [...Object.keys(STATUSES), "slow"];

// Strikes requests whose subject ("POST /production/events", "POST /api/mutation production:head")
// holds `match`: the next `times` of them, or each with `probability`. `inner` strikes at the
// commit of a mutation instead, where the subject is the function's path.
export type Fault = {
  kind: FaultKind;
  match: string;
  inner: boolean;
  ms: number;
  left: number;
  probability: number;
  random: () => number;
};

export class BadFault extends Error {}

const MAX_FAULTS = 100;
const MAX_MS = 60_000;

export class Faults {
  private armed: Fault[] = [];
  fired: Record<string, number> = {};

  clear() {
    this.armed = [];
    this.fired = {};
  }

  // Replaces the faults that were armed.
  arm(given: unknown) {
    if (!Array.isArray(given) || given.length > MAX_FAULTS) throw new BadFault(`Expected at most ${MAX_FAULTS} faults in a list.`);
    this.armed = given.map(read);
  }

  // The fault that strikes this request, if any.
  strike(subject: string, inner = false): Fault | null {
    for (const fault of this.armed) {
      if (fault.inner !== inner || fault.left < 1 || !subject.includes(fault.match)) continue;
      if (fault.random() >= fault.probability) continue;
      fault.left -= 1;
      const name = inner ? `inner:${fault.kind}` : fault.kind;
      this.fired[name] = (this.fired[name] ?? 0) + 1;
      return fault;
    }
    return null;
  }

  // Called in a mutation right before its commit: what is thrown here rolls it back.
  async atCommit(path: string) {
    const fault = this.strike(path, true);
    if (fault?.kind === "slow") await sleep(fault.ms);
    else if (fault) throw new Error(STATUSES[fault.kind as StatusKind][2]);
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function read(given: unknown): Fault {
  const { kind, match = "", times, probability, seed = 1, inner = false, ms = 1000 } = (given ?? {}) as Record<string, unknown>;
  const known = inner ? INSIDE : KINDS;
  if (typeof kind !== "string" || !known.includes(kind)) throw new BadFault(`Expected a kind among ${known.join(", ")}, got ${String(kind)}.`);
  if (typeof match !== "string" || typeof inner !== "boolean") throw new BadFault("Expected match as a text and inner as true or false.");
  if (typeof ms !== "number" || !(ms >= 0 && ms <= MAX_MS)) throw new BadFault(`Expected ms from 0 to ${MAX_MS}.`);
  if ((times === undefined) === (probability === undefined)) throw new BadFault("Expected either times or a probability.");
  if (typeof (times ?? 1) !== "number" || typeof (probability ?? 1) !== "number" || typeof seed !== "number") {
    throw new BadFault("Expected times, probability and seed as numbers.");
  }
  return {
    kind: kind as FaultKind,
    match,
    inner,
    ms,
    left: (times as number | undefined) ?? Infinity,
    probability: (probability as number | undefined) ?? 1,
    random: seeded(seed),
  };
}

// A small generator, so that a run can be had again: the same seed, the same faults.
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
