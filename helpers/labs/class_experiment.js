// The class experiment: a dot for each pasted result, and the mean and the spread of those with the same setting.

import { KEYS, make, makeCanvas, putText } from "./canvas.js";
import { ACCURACIES, guessAt, inGuess, putGuesses } from "./class_guesses.js";
import { lineColours, putDot, putFrame, strokeLine } from "./curves.js";
import { living } from "./lab.js";
import { written } from "./theme.js";

const MANY_TIMES = 20; // a setting that varies by a larger factor gets a logarithmic axis
const TICK_ROOM = 44; // pixels for the number of a setting
const ABREAST = 5; // dots side by side

// The horizontal axis: a little wider than the settings, which it names as far as there is room.
function settingsAxis(xs, width) {
  const [first, last] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const xLogarithmic = first > 0 && last > MANY_TIMES * first;
  const power = xLogarithmic ? Math.log10 : (x) => x;
  const edge = 0.06 * (power(last) - power(first)) || Math.abs(power(last)) / 2 || 1;
  const ends = [power(first) - edge, power(last) + edge];
  const x = xLogarithmic ? ends.map((end) => 10 ** end) : ends;
  const room = ((ends[1] - ends[0]) * TICK_ROOM) / width;
  const xTicks = [];
  for (const tick of xs) if (!xTicks.length || power(tick) - power(xTicks.at(-1)) >= room) xTicks.push(tick);
  return { x, xTicks, xLogarithmic };
}

const inGroup = ({ x, count, mean, spread }, label) => {
  const runs = count === 1 ? "1 result" : `${count} results`;
  return `${label} ${written(x, 7)}: ${runs}, mean ${written(mean)}${count > 1 ? ` ± ${written(spread, 2)}` : ""}`;
};

// A dot for each result; those with the same setting are side by side, so that equal ones can be seen.
function putDots(context, data, groups, frame) {
  const colours = lineColours(context.canvas);
  const seen = new Map(groups.map(({ x, count }) => [Math.fround(x), { count: Math.min(count, ABREAST), next: 0 }]));
  Object.assign(context, { fillStyle: colours.now, strokeStyle: colours.ink, lineWidth: 1 });
  for (let i = 0; i < data.length; i += 2) {
    const group = seen.get(data[i]);
    const aside = ((group.next++ % ABREAST) - (group.count - 1) / 2) * 8;
    putDot(context, frame.across(data[i]) + aside, frame.down(data[i + 1]), 4);
    context.stroke();
  }
}

export default living((lab) => {
  const note = make("p", { class: "lab-note" });
  let [at, over] = [0, null];
  let frame = null;
  const groups = () => lab.facts().groups ?? [];
  const guesses = () => lab.facts().guesses; // if these are shown, and no groups
  const items = () => guesses() ?? groups();
  const attributes = { tabindex: 0, role: "slider", "aria-valuemin": 0, "aria-valuenow": 0, ...KEYS };
  const { canvas, redraw } = makeCanvas(lab.place, () => 280, draw, lab.signal, attributes);
  const lines = make("textarea", {
    "aria-label": "result lines",
    spellcheck: "false",
    placeholder: "result lr=0.1 … accuracy=0.8430\nresult lr=0.3 …",
    ...KEYS,
  });
  const troubles = make("ul", { class: "lab-troubles" });
  const label = make("label", { class: "lab-pasted" }, "Paste everyone's result lines here:", lines);
  lab.place.append(note, label, troubles);

  function draw(context, width, height) {
    if (!lab.array("dots")) return;
    if (guesses()) {
      frame = putGuesses(context, width, height, guesses(), over ?? at);
      return;
    }
    const colours = lineColours(context.canvas);
    const axes = settingsAxis(
      groups().map(({ x }) => x),
      width - 60,
    );
    const box = { x: 0, y: 0, width, height, names: 12 };
    const titles = { title: "validation accuracy", xLabel: lab.facts().label, y: [0, 1], yTicks: ACCURACIES };
    frame = putFrame(context, box, { ...axes, ...titles });
    context.strokeStyle = context.fillStyle = colours.other;
    context.lineWidth = 2;
    strokeLine(
      context,
      groups().map(({ x, mean }) => [frame.across(x), frame.down(mean)]),
    );
    groups().forEach(({ x, mean, spread }, i) => {
      const [middle, ...ends] = [mean, mean - spread, mean + spread].map(frame.down);
      const place = frame.across(x);
      context.lineWidth = i === (over ?? at) ? 4 : 2;
      strokeLine(
        context,
        ends.map((end) => [place, end]),
      );
      for (const end of [middle, ...ends])
        strokeLine(context, [
          [place - 9, end],
          [place + 9, end],
        ]);
    });
    putDots(context, lab.array("dots").data, groups(), frame);
    const words = "dots: results · line: means, with one standard deviation";
    if (width > 540) putText(context, words, width - 12, 10, { align: "right", size: 12 });
  }

  function show() {
    const item = items()[over ?? at];
    note.textContent = item ? (guesses() ? inGuess(item) : inGroup(item, lab.facts().label)) : "";
    canvas.setAttribute("aria-label", guesses() ? "guesses, nearest first" : `mean accuracy by ${lab.facts().label}`);
    canvas.setAttribute("aria-valuemax", Math.max(items().length - 1, 1));
    canvas.setAttribute("aria-valuenow", at);
    canvas.setAttribute("aria-valuetext", item ? note.textContent : "no results yet");
    redraw();
  }

  const listen = (kind, action) => canvas.addEventListener(kind, action, { signal: lab.signal });
  listen("pointermove", ({ offsetX, offsetY }) => {
    if (!frame || !items().length) return;
    const distances = groups().map(({ x }) => Math.abs(frame.across(x) - offsetX));
    over = guesses() ? guessAt(guesses(), frame, offsetX, offsetY) : distances.indexOf(Math.min(...distances));
    show();
  });
  listen("pointerdown", () => {
    at = over ?? at;
    show();
  });
  listen("pointerleave", () => {
    over = null;
    show();
  });
  listen("keydown", (event) => {
    const last = Math.max(items().length - 1, 0);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at = Math.min(Math.max(to, 0), last);
    over = null;
    show();
  });
  let timer = 0;
  lines.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => lab.post({ lines: lines.value }), 200);
  });
  lab.signal.addEventListener("abort", () => clearTimeout(timer));

  return function redrawn() {
    at = Math.min(at, Math.max(items().length - 1, 0));
    if (document.activeElement !== lines) lines.value = lab.model.get("lines");
    troubles.replaceChildren(...(lab.facts().troubles ?? []).map((trouble) => make("li", {}, trouble)));
    show();
  };
});
