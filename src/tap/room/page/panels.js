// The header, the table of sources, and how the books stand.

import { ago, clock, lasting, make, millis, setText } from "./words.js";

const by = (id) => document.getElementById(id);

export function showHeader(status) {
  setText(by("session"), status.session);
  setText(by("title"), status.title ?? "");
  const since = status.startedMs ? `, since ${new Date(status.startedMs).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}` : "";
  setText(by("elapsed"), clock(status.elapsedMs) + since);
  setText(by("mode"), status.mode ?? "–");
  setText(by("hold"), status.hold ? "HELD" : "free");
  by("hold").classList.toggle("held", status.hold);
  setText(by("stills"), String(status.stills));
  setText(by("director"), status.director ?? "none");
  by("director").classList.toggle("bad", status.director === "waiting");
  const counts = Object.entries(status.counts).filter(([, n]) => n).map(([code, n]) => `${n} ${code}`);
  setText(by("counts"), counts.join(" · "));
}

// One line that answers: is anything wrong?
export function showWell({ link, status }) {
  const well = by("well");
  let [kind, text] = ["good", "✓ All is seen"];
  if (link === "over") [kind, text] = ["calm", "■ The session is over"];
  else if (link === "lost") [kind, text] = ["bad", "✕ No word from tap: nothing here is live"];
  else if (!status) [kind, text] = ["calm", "Waiting for tap …"];
  else {
    const wrong = [];
    const blind = status.feeds.filter((feed) => feed.state !== "live").map((feed) => feed.id);
    if (blind.length) wrong.push(`Not seen: ${blind.join(", ")}`);
    if (status.ledger.way !== "open") wrong.push(`Ledger ${status.ledger.way}`);
    if (status.director === "waiting") wrong.push("The director is not heard");
    if (wrong.length) [kind, text] = ["bad", `✕ ${wrong.join(" · ")}`];
  }
  well.dataset.kind = kind;
  setText(well, text);
}

const rows = new Map();

export function showSources(status) {
  const place = by("sources");
  const ids = status.feeds.map((feed) => feed.id);
  if (ids.join() !== [...rows.keys()].join()) {
    rows.clear();
    place.replaceChildren();
    for (const id of ids) {
      const cells = Array.from({ length: 6 }, () => make("td"));
      const row = make("tr", {}, make("th", { scope: "row" }, id), ...cells);
      rows.set(id, { row, cells });
      place.append(row);
    }
  }
  for (const feed of status.feeds) {
    const { row, cells } = rows.get(feed.id);
    const well = feed.state === "live";
    row.classList.toggle("ill", !well);
    row.title = feed.note ?? "";
    const values = [
      `${well ? "●" : "✕"} ${feed.state}`,
      feed.fps === null ? "–" : feed.fps.toFixed(1),
      millis(feed.delayMs), millis(feed.jitterMs), String(feed.dropped), ago(feed.ageMs),
    ];
    values.forEach((value, n) => setText(cells[n], value));
  }
}

export function showLedger(status) {
  const { ledger } = status;
  setText(by("sent"), String(ledger.rows));
  setText(by("waiting"), String(ledger.waiting));
  setText(by("oldest"), lasting(ledger.oldestMs));
  setText(by("parked"), String(ledger.parked));
  setText(by("way"), ledger.way === "open" ? "● open" : `✕ ${ledger.way}${ledger.wayMs === null ? "" : ` for ${lasting(ledger.wayMs)}`}`);
  by("way").classList.toggle("bad", ledger.way !== "open");
  by("parked").classList.toggle("bad", ledger.parked > 0);
  setText(by("ledger-note"), ledger.note ?? "");
}
