// Program and cameras as on a multiviewer: the camera on program has a red frame, a triangle and
// the words ON AIR, so that the colour alone never has to tell it.

import { STATES, ago, make, percent, setText } from "./words.js";

const PROGRAM = "program";

export class Tiles {
  constructor(place) {
    this.place = place;
    this.tiles = new Map();
  }

  show(status) {
    const ids = status.feeds.map((feed) => feed.id);
    const order = [PROGRAM, ...ids.filter((id) => id !== PROGRAM)];
    if (order.join() !== [...this.tiles.keys()].join()) this.#build(order);
    for (const feed of status.feeds) this.#showFeed(feed);
    this.place.dataset.cameras = order.length - 1;
    const { program } = status;
    const tile = this.tiles.get(PROGRAM);
    if (tile) {
      setText(tile.sure, program.camera ? percent(program.confidence) : "");
      setText(tile.second, program.runnerUp && program.runnerUpConfidence >= 0.001
        ? `then ${program.runnerUp} ${percent(program.runnerUpConfidence)}` : "");
    }
  }

  // What the program shows, the moment it is known.
  tally(state, camera) {
    for (const [id, tile] of this.tiles) {
      const on = id === camera;
      if (id !== PROGRAM) {
        tile.root.classList.toggle("on", on);
        setText(tile.tally, on ? "▶ ON AIR" : "");
      }
    }
    const program = this.tiles.get(PROGRAM);
    if (!program) return;
    program.root.classList.toggle("doubt", camera === null);
    setText(program.who, camera ?? STATES[state] ?? state);
    this.place.dataset.live = camera ?? "";
  }

  picture(feed, jpeg) {
    const tile = this.tiles.get(feed);
    if (!tile) return;
    const url = URL.createObjectURL(jpeg);
    const before = tile.image.src;
    tile.image.src = url;
    tile.root.classList.add("pictured");
    if (before) URL.revokeObjectURL(before);
  }

  #build(order) {
    this.tiles.clear();
    this.place.replaceChildren();
    for (const id of order) {
      const tile = id === PROGRAM ? programTile() : cameraTile(id);
      this.tiles.set(id, tile);
      this.place.append(tile.root);
    }
  }

  #showFeed(feed) {
    const tile = this.tiles.get(feed.id);
    const ill = feed.state !== "live";
    tile.root.classList.toggle("ill", ill);
    setText(tile.trouble, ill ? `✕ ${feed.state.toUpperCase()}` : "");
    setText(tile.why, ill ? `${feed.note ?? ""} Last seen ${ago(feed.ageMs)}.` : "");
    if (tile.label) setText(tile.label, feed.label ?? feed.role ?? "");
  }
}

function shared(kind, bar) {
  const image = make("img", { alt: "" });
  const trouble = make("strong");
  const why = make("span");
  const root = make("article", { class: `tile ${kind}` },
    make("div", { class: "screen" }, image, make("p", { class: "trouble" }, trouble, why)), bar);
  return { root, image, trouble, why };
}

function programTile() {
  const who = make("strong", { class: "who" }, "–");
  const sure = make("span", { class: "sure" });
  const second = make("span", { class: "second" });
  const bar = make("p", { class: "bar" }, make("span", { class: "tag" }, "PROGRAM"), who, sure, second);
  return { ...shared("program", bar), who, sure, second };
}

function cameraTile(id) {
  const tally = make("span", { class: "tally" });
  const label = make("span", { class: "label" });
  const bar = make("p", { class: "bar" }, make("strong", {}, id), label, tally);
  const tile = { ...shared("camera", bar), tally, label };
  tile.root.dataset.camera = id;
  return tile;
}
