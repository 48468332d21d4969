// The last minutes: claims above, what the program showed as a band, seen changes below.
// Disagreements are marked over the whole height.

import { STATES, clock, colourOf } from "./words.js";

const SPANS_S = [30, 60, 180, 600, 1800];
const CHANGES = new Set(["cut", "dissolve", "fade", "wipe"]);

export class Timeline {
  constructor(canvas, known, now) {
    this.canvas = canvas;
    this.known = known;
    this.now = now;
    this.span = window.innerWidth < 760 ? 1 : 2;
    this.#name();
  }

  zoom(step) {
    this.span = Math.min(SPANS_S.length - 1, Math.max(0, this.span + step));
    this.#name();
    this.draw();
  }

  #name() {
    const seconds = SPANS_S[this.span];
    document.querySelector("#span").textContent = seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
  }

  draw() {
    const { canvas, known } = this;
    const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
    const scale = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(high * scale)) {
      canvas.width = Math.round(wide * scale);
      canvas.height = Math.round(high * scale);
    }
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.font = "12px system-ui, sans-serif";
    if (!known.status) return;

    // When tap is silent, time stands still here: nothing is drawn that nobody saw.
    const silent = known.link === "live" ? 0 : performance.now() - known.heardAt;
    const end = this.now() - silent;
    const spanMs = SPANS_S[this.span] * 1000;
    const x = (ms) => wide - ((end - ms) / spanMs) * wide;
    const band = { top: 29, high: Math.max(20, high - 29 - 34) };
    const cameras = known.status.feeds.map((feed) => feed.id).filter((id) => id !== "program");
    const shared = sharedStart(cameras);

    this.#grid(pen, { x, wide, high, end, spanMs, colour });
    this.#program(pen, { x, wide, band, end, cameras, shared, colour });
    const from = end - spanMs - 5000;
    for (const claim of known.claims) {
      if (claim.atMs < from || !(claim.type === "cut" || claim.type === "accept")) continue;
      mark(pen, x(claim.atMs), band.top - 3, 1, colourOf(cameras, claim.camera), colour("--ink"));
    }
    for (const change of known.angleChanges) {
      if (change.atMs < from || !CHANGES.has(change.type)) continue;
      mark(pen, x(change.atMs), band.top + band.high + 3, -1, colourOf(cameras, change.to), colour("--ink"));
    }
    for (const verdict of known.verdicts) {
      if (verdict.atMs >= from && verdict.disagrees) cross(pen, x(verdict.atMs), band, colour("--bad"));
    }
    this.#tell(from, end);
  }

  #grid(pen, { x, wide, high, end, spanMs, colour }) {
    const step = [5, 10, 30, 60, 120, 300].map((s) => s * 1000).find((ms) => (ms / spanMs) * wide > 70) ?? 300_000;
    const start = this.known.status.startedMs ?? 0;
    pen.fillStyle = colour("--dim");
    pen.strokeStyle = colour("--line");
    pen.textAlign = "center";
    for (let ms = start + Math.floor((end - start) / step) * step; ms >= start && ms > end - spanMs; ms -= step) {
      pen.beginPath();
      pen.moveTo(x(ms), 20);
      pen.lineTo(x(ms), high - 15);
      pen.stroke();
      const half = pen.measureText(clock(ms - start)).width / 2;
      if (x(ms) > half && x(ms) < wide - half) pen.fillText(clock(ms - start), x(ms), high - 2);
    }
  }

  #program(pen, { x, wide, band, end, cameras, shared, colour }) {
    const changes = this.known.program;
    pen.textAlign = "left";
    changes.forEach((change, n) => {
      const left = Math.max(0, x(change.atMs));
      const right = Math.min(wide, x(changes[n + 1]?.atMs ?? end));
      if (right <= 0 || left >= wide || right <= left) return;
      pen.fillStyle = change.camera ? colourOf(cameras, change.camera) : colour("--unseen");
      pen.fillRect(left, band.top, Math.max(1, right - left - 1), band.high);
      // The whole name, or what sets it apart from the others, or nothing.
      const name = change.camera ?? STATES[change.state] ?? change.state;
      const words = change.camera ? [name, name.slice(shared)] : [name];
      const word = words.find((text) => pen.measureText(text).width + 6 < right - left);
      if (word) {
        pen.fillStyle = change.camera ? "#0b0e11" : colour("--ink");
        pen.fillText(word, left + 3, band.top + band.high / 2 + 4);
      }
    });
  }

  // The same in words, for those who don't see the drawing.
  #tell(from, end) {
    const within = (item) => item.atMs >= from && item.atMs <= end;
    const { claims, angleChanges, verdicts } = this.known;
    const said = claims.filter((c) => within(c) && (c.type === "cut" || c.type === "accept")).length;
    const seen = angleChanges.filter((c) => within(c) && CHANGES.has(c.type)).length;
    const wrong = verdicts.filter((v) => within(v) && v.disagrees).length;
    const words = `In this time ${said} cuts were said, ${seen} seen, ${wrong} disagree.`;
    if (this.canvas.getAttribute("aria-label") !== words) this.canvas.setAttribute("aria-label", words);
  }
}

// How many letters all names begin with.
function sharedStart(names) {
  let length = 0;
  while (names.length > 1 && names.every((name) => length + 1 < name.length && name[length] === names[0][length])) length += 1;
  return length;
}

// A triangle with its tip at (x, y); it points down for 1, up for -1.
function mark(pen, x, y, down, fill, edge) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - 5, y - 10 * down);
  pen.lineTo(x + 5, y - 10 * down);
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = edge;
  pen.lineWidth = 1;
  pen.stroke();
}

function cross(pen, x, band, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.setLineDash([4, 3]);
  pen.beginPath();
  pen.moveTo(x, 14);
  pen.lineTo(x, band.top + band.high + 18);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x - 5, 2);
  pen.lineTo(x + 5, 12);
  pen.moveTo(x + 5, 2);
  pen.lineTo(x - 5, 12);
  pen.lineWidth = 3;
  pen.stroke();
  pen.lineWidth = 1;
}
