// The training lab: curves that grow, and below them the runs, the predictions, and more to set.

import { KEYS, bytePicture, make, makeCanvas } from "./canvas.js";
import { lineColours, makePoints, putChart } from "./curves.js";
import { makeExpected } from "./expected.js";
import { makeGoing } from "./going.js";
import { living } from "./lab.js";
import { makePast } from "./past.js";
import { makeTabs } from "./tabs.js";
import { written } from "./theme.js";

const MORE = "more settings"; // the group of the settings that stand in a tab
const GROWN_LOSS = 10; // one run that blew up must not flatten the others

export default living((lab) => {
  const showGoing = makeGoing(lab, lab.place, ["Train", "Resume"]);
  const points = makePoints(lab);
  const isNarrow = (width) => width < 520;
  // To look back needs the room.
  const heightOf = (width) => (isNarrow(width) ? 460 : past.isTall() ? 140 : past.isOpen() ? 204 : 236);
  const stage = make("div", { class: "lab-over" });
  lab.place.append(stage);
  const { canvas, redraw } = makeCanvas(stage, heightOf, draw, lab.signal, { role: "img" });
  const expected = makeExpected(lab, stage, lab.place, () => redraw());
  let lit = null; // the number of the run whose curve is lit up
  const light = (number) => {
    lit = number;
    lab.root.dataset.lit = number ?? "";
    redraw();
  };
  const panels = {
    Runs: make("div"),
    Predictions: make("div"),
    "Look back": make("div"),
    "More settings": make("div"),
    "Save and load": make("div"),
  };
  const openTab = makeTabs(lab.place, panels, "below the curves");
  let opened = 0; // how often a line had asked for a moment of the past
  const showRuns = makeRuns(panels.Runs, light);
  const showClass = makeClass(lab, panels.Runs);
  const showPredictions = makePredictions(lab, panels.Predictions);
  const past = makePast(lab, panels["Look back"], () => redraw());
  const showFiles = makeFiles(lab, panels["Save and load"]);

  function draw(context, width, height) {
    const { curves = [], end = 1, phase } = lab.model.get("going");
    const colours = lineColours(context.canvas);
    const [losses, accuracies] = [[], []];
    accuracies.push({ points: expected.line(), name: " expected", colour: colours.ink, dashed: true });
    for (const [i, { id, name }] of curves.entries()) {
      const rows = points.of(id);
      const mark = { faded: lit !== null && lit !== id, strong: lit === id };
      const measured = rows.filter((row) => !Number.isNaN(row[3])).map((row) => [row[0], row[3]]);
      const loss = rows.map((row) => [row[0], row[1]]);
      if (i < curves.length - 1) {
        const ghost = { name: name.replace(/^trainer ?/, "") || "beginning", width: 1.5, ...mark };
        losses.push({ ...ghost, points: loss, colour: mark.strong ? colours.ink : colours.quiet });
        accuracies.push({ ...ghost, points: measured, colour: mark.strong ? colours.ink : colours.quiet });
      } else {
        const training = rows.map((row) => [row[0], row[2]]);
        losses.push({ points: loss, name: "this run", colour: colours.now, width: 2.5, ...mark });
        accuracies.push({ points: training, name: "training", colour: colours.now, width: 2.5, ...mark });
        const style = { name: "validation", colour: colours.other, dashed: true, dots: true };
        accuracies.push({ points: measured, ...style, ...mark });
      }
    }
    const sane = losses.flatMap((line) => line.points.map(([, loss]) => loss)).filter((loss) => loss < GROWN_LOSS);
    const highest = Math.ceil(2 * Math.max(2.5, ...sane)) / 2;
    if (past.pin() !== null) {
      const pin = { colour: colours.ink, width: 1.5 };
      losses.push({
        ...pin,
        points: [
          [past.pin(), 0],
          [past.pin(), highest],
        ],
      });
      accuracies.push({
        ...pin,
        points: [
          [past.pin(), 0],
          [past.pin(), 1],
        ],
      });
    }
    const longest = Math.max(end, ...losses.map((line) => line.points.at(-1)?.[0] ?? 0));
    const step = Math.ceil(longest / 5);
    const across = { x: [0, longest], xLabel: "epoch", xTicks: ticks(0, longest, step) };
    const half = isNarrow(width) ? width : (width - 12) / 2;
    const box = { x: 0, y: 0, width: half, height: isNarrow(width) ? 226 : height, names: 90 };
    const yTicks = ticks(0, highest, highest > 4 ? 2 : 0.5);
    putChart(context, box, { ...across, title: "training loss", y: [0, highest], yTicks }, losses);
    const place = isNarrow(width) ? { ...box, y: 232 } : { ...box, x: half + 12 };
    const shares = { title: "accuracy", y: [0, 1], yTicks: ticks(0, 1, 0.2) };
    const axes = putChart(context, place, { ...across, ...shares }, accuracies);
    expected.lay(context, axes, longest);
    lab.root.dataset.points = points.of(curves.at(-1)?.id).length;
    canvas.setAttribute("aria-label", inWords(points.of(curves.at(-1)?.id), phase));
  }

  return () => {
    const going = lab.model.get("going");
    points.keep(going.curves ?? []);
    showGoing(going);
    // Python's words say which settings stand in the tab; the base puts all of them beside the picture.
    const more = lab.root.querySelector(`.lab-controls > [data-group="${MORE}"]`);
    if (more) panels["More settings"].replaceChildren(more);
    showRuns(lab.model.get("below"));
    showClass(lab.model.get("below"));
    showFiles(lab.model.get("below"));
    showPredictions();
    const then = lab.model.get("below").past;
    if (then.opened !== opened) openTab("Look back");
    opened = then.opened;
    past.show(then);
    expected.show();
  };
});

const ticks = (first, last, step) =>
  Array.from({ length: Math.floor((last - first) / step + 1.001) }, (_, i) => Number((first + i * step).toFixed(6)));

function inWords(rows, phase) {
  const text = "Training loss and accuracy against epochs";
  if (!rows.length) return `${text}: no run yet`;
  const [epoch, loss, accuracy] = rows.at(-1);
  const now = `epoch ${written(epoch)}: loss ${written(loss)}, training accuracy ${written(accuracy)}`;
  return `${text}; ${phase === "training" ? "now" : "at the end"}, ${now}`;
}

// The table of runs; a row under the pointer, or with the focus, lights up its curve.
function makeRuns(place, light) {
  const table = make("table");
  const result = make("input", { type: "text", readonly: true, "aria-label": "result line", ...KEYS });
  const line = make("label", { class: "lab-result" }, "result line", result);
  const none = make("p", {}, "Each run gets a row here, which shows its curve when you point at it.");
  place.append(none, make("div", { class: "lab-rows" }, table), line);
  result.addEventListener("focus", () => result.select());
  let shown = "";
  return function show({ head = [], rows = [], result: text = "" }) {
    none.hidden = rows.length > 0;
    table.hidden = !rows.length;
    line.hidden = !text;
    if (result.value !== text) result.value = text;
    const now = JSON.stringify(rows);
    if (now === shown) return;
    shown = now;
    light(null);
    const titles = make("tr", {}, ...head.map((title) => make("th", { scope: "col" }, title)));
    table.replaceChildren(titles, ...rows.map((row) => oneRow(row, light)));
  };
}

function oneRow({ curve, cells: [number, ...cells] }, light) {
  const button = make("button", { type: "button", "aria-label": `show the curve of run ${number}`, ...KEYS }, number);
  const row = make("tr", { "data-run": curve }, make("td", {}, button), ...cells.map((cell) => make("td", {}, cell)));
  for (const begin of ["pointerenter", "focusin"]) row.addEventListener(begin, () => light(curve));
  for (const end of ["pointerleave", "focusout"]) row.addEventListener(end, () => light(null));
  return row;
}

// What goes to the class, if the teacher has named a folder for it, and under which name.
function makeClass(lab, place) {
  const name = make("input", { type: "text", spellcheck: "false", maxlength: "30", ...KEYS });
  name.addEventListener("input", () => lab.post({ student: name.value }));
  const where = make("span");
  const said = make("p", { role: "status" });
  const box = make("div", { class: "lab-class" }, where, make("label", {}, "your name, or nothing ", name), said);
  place.append(box);
  return function show({ class: folder = "", shared = "" }) {
    box.hidden = !folder;
    where.textContent = `The result line of each finished run, and nothing else, goes to your class: ${folder}`;
    said.textContent = shared;
    said.classList.toggle("lab-trouble", shared.startsWith("Not"));
  };
}

// Eight validation images, and what the network says of each.
function makePredictions(lab, place) {
  const row = make("div", { class: "lab-predictions" });
  place.append(row);
  let [images, facts] = [null, null];
  return function show() {
    if (!lab.array("images") || (images === lab.array("images") && facts === lab.facts())) return;
    [images, facts] = [lab.array("images"), lab.facts()];
    const [count, channels, high, wide] = images.shape;
    const { true: truths, said } = facts;
    const figures = Array.from({ length: count }, (_, i) => {
      const canvas = make("canvas", { width: wide, height: high, "aria-hidden": "true" });
      const first = i * channels * high * wide;
      canvas.getContext("2d").drawImage(bytePicture(images.data, [channels, high, wide], first), 0, 0);
      const isRight = truths[i] === said[i];
      const words = isRight ? [said[i]] : [make("b", {}, `✗ ${said[i]}`), make("span", {}, `it is: ${truths[i]}`)];
      return make("figure", isRight ? {} : { class: "lab-wrong" }, canvas, make("figcaption", {}, ...words));
    });
    row.replaceChildren(...figures);
  };
}

// A file beside the notebook, to save the weights in and to load them from.
function makeFiles(lab, place) {
  const name = make("input", { type: "text", spellcheck: "false", ...KEYS });
  const said = make("p", { role: "status" });
  const button = (label, what) => {
    const made = make("button", { type: "button", ...KEYS }, label);
    made.addEventListener("click", () => lab.post({ file: name.value, do: what }));
    return made;
  };
  const file = make("label", {}, "file beside this notebook ", name);
  place.append(make("div", { class: "lab-files" }, file, button("Save", "save"), button("Load", "load")), said);
  return function show({ file = "", said: words = {} }) {
    if (document.activeElement !== name) name.value = file;
    said.textContent = words.text ?? "";
    said.classList.toggle("lab-trouble", Boolean(words.trouble));
  };
}
