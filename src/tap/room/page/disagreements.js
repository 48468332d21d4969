// A card for each disagreement, the newest first, with the two pictures that show it best.

import { make, timeOfDay } from "./words.js";

const MOST = 30;
const CAPTIONS = {
  before: "Program before",
  after: "Program after",
  matched: "Seen on program",
  told: "Named by the director",
  runner_up: "Next best match",
};

export class Disagreements {
  constructor(place) {
    this.place = place;
    this.total = 0;
  }

  begin(verdicts) {
    this.place.replaceChildren();
    this.total = 0;
    for (const verdict of verdicts) if (verdict.disagrees) this.add(verdict);
  }

  add(verdict) {
    this.total += 1;
    this.place.prepend(card(verdict));
    if (this.place.children.length > MOST) this.place.lastChild.remove();
    document.querySelector("#none").hidden = true;
    const count = document.querySelector("#wrong");
    count.textContent = this.total;
    count.classList.add("some");
  }

  step(by) {
    const cards = [...this.place.children];
    const next = Math.min(cards.length - 1, Math.max(0, cards.indexOf(document.activeElement) + by));
    cards[next]?.focus();
  }
}

function card(verdict) {
  const head = make("p", { class: "what" },
    make("span", { class: "cross", "aria-hidden": "true" }, "✕"),
    make("strong", {}, verdict.title),
    make("code", {}, verdict.code),
    make("time", { datetime: new Date(verdict.atMs).toISOString() }, timeOfDay(verdict.atMs)));
  const item = make("li", { tabindex: "0", "data-seq": verdict.seq }, head,
    make("p", { class: "text" }, verdict.text));
  const pictures = bestTwo(verdict);
  if (pictures.length === 0) item.append(make("p", { class: "note" }, "tap has kept no picture of it."));
  else item.append(make("div", { class: "pair" }, ...pictures.map(figure)));
  return item;
}

// What came beside what was named; where nothing came or nothing was named, before and after.
function bestTwo(verdict) {
  const by = Object.fromEntries(verdict.pictures.map((picture) => [picture.role, picture]));
  const compared = verdict.told && verdict.told !== verdict.seen && by.told;
  const wanted = compared ? [by.after, by.told] : [by.before, by.after];
  return wanted.filter(Boolean);
}

function figure(picture) {
  const words = `${CAPTIONS[picture.role] ?? picture.role}${picture.feed === "program" ? "" : `: ${picture.feed}`}`;
  return make("figure", {}, make("img", { src: picture.url, alt: words, loading: "lazy" }),
    make("figcaption", {}, words));
}
