
// The timeline that can be zoomed: one lane for each camera, what was said above, what was seen below.
const explorer = document.getElementById("explorer");
if (explorer) {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const space = document.querySelector("svg").namespaceURI;
  const canvas = document.getElementById("explorer-view");
  const where = document.getElementById("explorer-where");
  const AXIS = 22, LANE = 34, MARKS = 34, LEAST = 500;
  const height = AXIS + data.cameras.length * LANE + MARKS;
  let from = 0, to = data.length, width = 0, gutter = 0, at = -1, waiting = false;

  const clock = (ms) => {
    const whole = Math.round(ms), s = Math.floor(whole / 1000) % 60, m = Math.floor(whole / 60000) % 60;
    const h = Math.floor(whole / 3600000), two = (n) => String(n).padStart(2, "0");
    return `${h ? `${h}:${two(m)}` : m}:${two(s)}.${String(whole % 1000).padStart(3, "0")}`;
  };
  const x = (ms) => gutter + (Math.min(to, Math.max(from, ms)) - from) / (to - from) * (width - gutter - 4);
  const put = (tag, names, title, parent = canvas) => {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(names)) element.setAttribute(name, value);
    if (title) element.appendChild(document.createElementNS(space, "title")).textContent = title;
    return parent.appendChild(element);
  };
  const word = (text, names) => { put("text", names).textContent = text; };
  const bar = (start, end, y, tall, css, title) => {
    if (end <= from || start >= to) return;
    const left = x(start), wide = Math.max(.8, x(end) - left);
    put("rect", { x: left.toFixed(1), y, width: wide.toFixed(1), height: tall, class: wide < 5 ? `${css} thin` : css }, title);
  };

  function axis() {
    const steps = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5];
    const most = Math.max(2, (width - gutter) / 90);
    const step = steps.find((s) => (to - from) / s <= most) || (to - from) / most;
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      put("line", { x1: x(t), x2: x(t), y1: AXIS - 6, y2: height, class: "grid" });
      if (x(t) < width - 60) word(step < 1000 ? clock(t) : clock(t).slice(0, -4), { x: x(t) + 3, y: 12, class: "axis" });
    }
  }
  function lanes() {
    data.cameras.forEach(([name], index) => {
      const y = AXIS + index * LANE;
      put("rect", { x: gutter, y: y + 3, width: width - gutter - 4, height: LANE - 6, class: "base" });
      word(name.length > gutter / 7 ? `${name.slice(0, Math.floor(gutter / 7))}…` : name, { x: gutter - 6, y: y + 20, class: "lane-name" });
    });
    for (const [start, end, camera] of data.told)
      bar(start, end, AXIS + camera * LANE + 5, 9, `told c${data.cameras[camera][1]}`, `said: ${data.cameras[camera][0]}, from ${clock(start)}`);
    for (const [start, end, state, cameras, sure] of data.shots) {
      if (end <= from || start >= to) continue;
      for (const camera of cameras) {
        const live = data.states[state] === "live";
        bar(start, end, AXIS + camera * LANE + 16, 13, `c${data.cameras[camera][1]}${live ? "" : " partly"}`,
          `seen: ${live ? data.cameras[camera][0] : data.states[state]}, ${clock(start)} to ${clock(end)}, ${sure}`);
      }
    }
    for (const [camera, start, end, reason] of data.gaps)
      bar(start, end, AXIS + camera * LANE + 3, LANE - 6, "st-unseen", `no picture: ${reason}`);
  }
  function marks() {
    const y = AXIS + data.cameras.length * LANE + 12;
    const only = choice ? choice.value : "all";
    let last = -20, lift = 0;
    for (const [time, code, kind, number] of data.verdicts) {
      if (time < from || time > to || kind === 3) continue;
      if (only === "wrong" ? kind !== 1 : only !== "all" && data.codes[code] !== only) continue;
      const title = `${data.codes[code]} at ${clock(time)}`;
      if (kind !== 1) { put("circle", { cx: x(time), cy: y, r: 3.5, class: kind ? "v-doubt" : "v-agree" }, title); continue; }
      lift = x(time) - last < 14 ? (lift + 1) % 2 : 0;
      last = x(time);
      const shape = put("path", { d: `M${x(time)} ${y - 9 + 11 * lift}l8 8l-8 8l-8 -8z`, class: number === at ? "v-wrong now" : "v-wrong", "data-number": number }, title);
      shape.addEventListener("click", () => go(number));
    }
    word("verdicts", { x: gutter - 6, y: y + 4, class: "lane-name" });
  }
  function draw() {
    waiting = false;
    width = Math.max(280, explorer.clientWidth);
    gutter = width < 600 ? 64 : 110;
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    canvas.setAttribute("height", height);
    canvas.replaceChildren();
    axis(); lanes(); marks();
  }
  function soon() {
    if (!waiting) { waiting = true; requestAnimationFrame(draw); }
  }
  function show(start, end, say = true) {
    const span = Math.min(data.length, Math.max(LEAST, end - start));
    from = Math.min(data.length - span, Math.max(0, start));
    to = from + span;
    if (to <= from) to = from + 1;
    if (say) where.textContent = `${clock(from)} to ${clock(to)}`;
    soon();
  }
  const zoom = (factor, centre = (from + to) / 2) => show(centre - (centre - from) * factor, centre + (to - centre) * factor);
  const move = (share) => show(from + share * (to - from), to + share * (to - from));
  const wrong = data.verdicts.filter((v) => v[2] === 1).sort((a, b) => a[0] - b[0]);
  function step(by) {
    if (!wrong.length) { where.textContent = "Nothing disagrees."; return; }
    const now = wrong.findIndex((v) => v[3] === at);
    const next = wrong[now < 0 ? (by > 0 ? 0 : wrong.length - 1) : (now + by + wrong.length) % wrong.length];
    at = next[3];
    const span = Math.min(to - from, 30000);
    show(next[0] - span / 2, next[0] + span / 2, false);
    where.textContent = `Disagreement ${at} of ${wrong.length} at ${clock(next[0])}: ${data.titles[next[1]]}. Enter shows its pictures.`;
  }
  function go(number) {
    const exhibit = document.getElementById(`f${number}`) || document.getElementById("f-more");
    if (!exhibit) return;
    exhibit.hidden = false;
    exhibit.scrollIntoView();
    exhibit.focus();
  }
  const acts = {
    "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), ArrowLeft: () => move(-.25), ArrowRight: () => move(.25),
    Home: () => show(0, to - from), End: () => show(data.length - (to - from), data.length), 0: () => show(0, data.length),
    n: () => step(1), p: () => step(-1), Enter: () => { if (at > 0) go(at); },
  };
  explorer.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== explorer || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
  for (const button of document.querySelectorAll("#explorer-tools button"))
    button.addEventListener("click", () => acts[button.dataset.act]());
  explorer.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const place = (event.clientX - explorer.getBoundingClientRect().left - gutter) / (width - gutter);
    zoom(event.deltaY > 0 ? 1.25 : .8, from + Math.max(0, Math.min(1, place)) * (to - from));
  }, { passive: false });
  let held = null;
  explorer.addEventListener("pointerdown", (event) => { held = [event.clientX, from, to]; });
  addEventListener("pointerup", () => { held = null; });
  explorer.addEventListener("pointermove", (event) => {
    if (!held || Math.abs(event.clientX - held[0]) < 4) return;
    const by = (held[0] - event.clientX) / (width - gutter) * (held[2] - held[1]);
    show(held[1] + by, held[2] + by);
  });
  new ResizeObserver(soon).observe(explorer);
  if (choice) choice.addEventListener("change", soon);
  show(0, data.length);
}
