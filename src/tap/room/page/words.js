// Numbers and states in words, and the colours of cameras.

// Okabe and Ito's palette: told apart by people who do not see all colours. Red is for the tally.
const COLOURS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#b0bec5"];

export function colourOf(cameras, camera) {
  const place = cameras.indexOf(camera);
  return place < 0 ? "#6b7680" : COLOURS[place % COLOURS.length];
}

export const STATES = {
  live: "Live", transition: "Changing", composed: "Several at once", ambiguous: "Can't tell",
  off_camera: "No camera", black: "Black", unseen: "Not seen",
};

export function clock(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`;
}

export const timeOfDay = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });
export const millis = (ms) => (ms === null ? "–" : `${Math.round(ms)} ms`);
export const percent = (part) => `${(part * 100).toFixed(part > 0.995 || part < 0.005 ? 1 : 0)} %`;
export const ago = (ms) =>
  ms === null ? "never" : ms < 1500 ? "now" : ms < 90_000 ? `${Math.round(ms / 1000)} s ago` : `${Math.round(ms / 60_000)} min ago`;
export const lasting = (ms) => (ms === null ? "–" : ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

// All text from outside goes through textContent, never into HTML.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
