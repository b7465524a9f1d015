// Draws the charts of a report from the JSON beside it. A chart follows pointer and arrow keys and
// says what it points at in a live region. Nothing is loaded; texts are never taken as markup.
// The files of this folder are joined within one function, in the order drawing, curves, matrices,
// page.
const data = JSON.parse(document.getElementById("data").textContent);
const count = data.experiences.length;
const DASHES = ["", "8 3", "2 4", "10 3 2 3"];
const COLOURS = 12;
const MOST_BANDS = 6; // of more strategies bands hide each other until the reader asks for them
const VIRIDIS = ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58",
  "b5de2b", "fde725"].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
const redraws = []; // of what is visible, on another width or theme

// Elements.
const build = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "colour") element.style.setProperty("--c", value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
const html = (name, attributes = {}, ...children) =>
  build(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  build(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

// Numbers and colours.
const known = (value) => value !== null && value !== undefined;
const number = (value, percent) => {
  if (!known(value)) return "\u2013";
  if (percent) return `${(100 * value).toFixed(1)} %`;
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
};
const place = (index) => `after experience ${index}, ${data.experiences[index]}`;
const colourOf = (index) => `var(--c${index % COLOURS})`;
const dashOf = (index) => DASHES[Math.floor(index / 4) % DASHES.length];
const dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const viridis = (share) => {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((from, channel) =>
    Math.round(from + (VIRIDIS[low + 1][channel] - from) * (at - low)));
};
const rgb = (channels) => `rgb(${channels.join(" ")})`;
// Its dark end cannot be seen on a dark page, its yellow end not on a light one.
const lineShade = (share) => rgb(viridis(dark() ? 0.3 + 0.7 * share : 0.82 * share));
const niceTicks = (low, high) => {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.7);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) {
    ticks.push(at * step);
  }
  return { ticks, step };
};
const steps = (length, most) => {
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500].find((size) => length / size <= most) || 1000;
  return Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step);
};

// What every chart has.
const frame = (figure) => {
  const plot = html("div", { class: "plot" });
  const tip = html("div", { class: "tip", hidden: "" });
  const said = html("p", { class: "unseen", "aria-live": "polite" });
  figure.prepend(plot, said);
  return { plot, tip, said, caption: figure.querySelector("figcaption").textContent };
};
const showTip = (plot, tip, x, y) => {
  tip.hidden = false;
  const left = x + 14 + tip.offsetWidth > plot.clientWidth ? x - 14 - tip.offsetWidth : x + 14;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${Math.max(0, Math.min(y - 20, plot.clientHeight - tip.offsetHeight))}px`;
};
const onKeys = (element, moves) => element.addEventListener("keydown", (event) => {
  if (!(event.key in moves)) return;
  event.preventDefault();
  moves[event.key]();
});
