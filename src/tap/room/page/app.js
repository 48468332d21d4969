// The page: takes what the stream says, keeps it in `known`, and has each part draw itself.
//
//   stream.js         events from tap, resumed after a break
//   pictures.js       small pictures of every feed
//   tiles.js          program and cameras
//   timeline.js       what was said and seen in the last minutes
//   disagreements.js  cards with their pictures
//   panels.js         header, sources, ledger
//   alarms.js         sound and flash, both off until asked for

import { Alarms } from "./alarms.js";
import { Disagreements } from "./disagreements.js";
import { showHeader, showLedger, showSources, showWell } from "./panels.js";
import { readPictures } from "./pictures.js";
import { readEvents } from "./stream.js";
import { Tiles } from "./tiles.js";
import { Timeline } from "./timeline.js";

const MOST = 1000; // of each list: the page may stay open for days
const SILENT_MS = 3000; // without a word for so long, nothing on the page counts as live

const known = {
  status: null,
  program: [], // what the program seemed to show: { atMs, state, camera }
  claims: [],
  angleChanges: [],
  verdicts: [],
  link: "waiting", // waiting, live, lost, over
  heardAt: 0, // performance.now() of the last word
  aheadMs: 0, // tap's clock minus this browser's
};
const now = () => Date.now() + known.aheadMs; // on tap's clock

const tiles = new Tiles(document.querySelector("#tiles"));
const timeline = new Timeline(document.querySelector("#timeline"), known, now);
const disagreements = new Disagreements(document.querySelector("#disagreements"));
const alarms = new Alarms();

function keep(list, item) {
  list.push(item);
  if (list.length > MOST) list.shift();
}

// ---------------------------------------------------------------- what tap says

function heard() {
  known.heardAt = performance.now();
  setLink("live");
}

function onReset(all) {
  heard();
  known.aheadMs = all.nowMs - Date.now();
  const last = known.verdicts.at(-1)?.seq ?? 0;
  const missed = all.why === "hole" && all.verdicts.some((v) => v.disagrees && v.seq > last);
  if (missed) alarms.raise();
  for (const list of ["program", "claims", "angleChanges", "verdicts"]) known[list] = all[list];
  disagreements.begin(known.verdicts);
  if (all.status) onStatus(all.status);
  showProgram();
}

function onStatus(status) {
  heard();
  known.status = status;
  known.aheadMs = status.nowMs - Date.now();
  showHeader(status);
  showSources(status);
  showLedger(status);
  tiles.show(status);
  showProgram();
  showWell(known);
}

function onProgram(change) {
  heard();
  keep(known.program, change);
  showProgram();
}

function onVerdict(verdict) {
  heard();
  keep(known.verdicts, verdict);
  if (!verdict.disagrees) return;
  disagreements.add(verdict);
  alarms.raise();
}

function showProgram() {
  const latest = known.program.at(-1);
  if (latest) tiles.tally(latest.state, latest.camera);
}

function setLink(link) {
  if (known.link === link) return;
  known.link = link;
  document.body.dataset.link = link;
  showWell(known);
}

readEvents({
  reset: onReset,
  status: onStatus,
  program: onProgram,
  verdict: onVerdict,
  claim: (claim) => { heard(); keep(known.claims, claim); },
  "angle-change": (change) => { heard(); keep(known.angleChanges, change); },
  over: () => setLink("over"),
  lost: () => { if (known.link !== "over") setLink("lost"); },
});
readPictures((feed, jpeg) => tiles.picture(feed, jpeg));

setInterval(() => {
  if (known.link === "live" && performance.now() - known.heardAt > SILENT_MS) setLink("lost");
  timeline.draw();
}, 200);

// ---------------------------------------------------------------- keys and buttons

const help = document.querySelector("#help");
const button = (id) => document.getElementById(id);

const actions = {
  s: () => alarms.toggle("sound", button("sound")),
  f: () => alarms.toggle("flash", button("flash")),
  l: () => {
    const light = document.documentElement.classList.toggle("light");
    button("theme").setAttribute("aria-pressed", light);
    timeline.draw();
  },
  "+": () => timeline.zoom(-1),
  "=": () => timeline.zoom(-1),
  "-": () => timeline.zoom(1),
  j: () => disagreements.step(1),
  k: () => disagreements.step(-1),
  w: () => (document.fullscreenElement ? document.exitFullscreen() : document.body.requestFullscreen()),
  "?": () => (help.open ? help.close() : help.showModal()),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = actions[event.key.toLowerCase()];
  if (action) {
    action();
    event.preventDefault();
  }
});
for (const [id, key] of [
  ["sound", "s"], ["flash", "f"], ["theme", "l"], ["keys", "?"], ["shorter", "+"], ["longer", "-"],
]) button(id).addEventListener("click", actions[key]);
