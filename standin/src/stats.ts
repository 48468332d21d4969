// What was asked of the server: how often, and how many at once.

export class Stats {
  requests = 0;
  byPath: Record<string, number> = {};
  maxInFlight = 0;
  maxInFlightOfASession = 0;
  private inFlight = 0;
  private readonly sessions = new Map<string, number>();

  begin(path: string, session: string | null): () => void {
    this.requests += 1;
    this.byPath[path] = (this.byPath[path] ?? 0) + 1;
    this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
    if (session !== null) this.count(session, 1);
    return () => {
      this.inFlight -= 1;
      if (session !== null) this.count(session, -1);
    };
  }

  clear() {
    this.requests = this.maxInFlight = this.maxInFlightOfASession = 0;
    this.byPath = {};
  }

  private count(session: string, by: 1 | -1) {
    const now = (this.sessions.get(session) ?? 0) + by;
    if (now > 0) this.sessions.set(session, now);
    else this.sessions.delete(session);
    this.maxInFlightOfASession = Math.max(this.maxInFlightOfASession, now);
  }
}

// The session that a write belongs to, where it can be told.
export function sessionOf(body: Record<string, unknown>): string | null {
  const rows = Array.isArray(body.rows) ? (body.rows as unknown[]) : [];
  const row = (rows[0] ?? body.row ?? body) as Record<string, unknown>;
  const key = row.sessionKey ?? row.key;
  return typeof key === "string" ? key.split("/")[0]! : null;
}
