// The drawing lab: a pad and, beside it, what each network says of the drawing.

import { KEYS, make, makeCanvas, mapPicture, putPicture } from "./canvas.js";
import { living } from "./lab.js";
import { makePad } from "./pad.js";
import { host } from "./part.js";
import { grey } from "./theme.js";
import { makeUpload } from "./upload.js";

const LARGEST_MAP = 60; // pixels of the page
const GAP = 4;

// A table of bars: a row per class, a column per network. Returns `show(chances)`, of (networks, classes).
function makeChances(place, names, classes) {
  const [heads, rows] = [names.map(() => make("th", { scope: "col" })), []];
  const body = make("tbody");
  for (const name of classes) {
    const cells = names.map((_, i) => {
      const [bar, text] = [make("span", { class: `lab-bar lab-bar-${i}` }), make("span")];
      return { bar, text, cell: make("td", {}, make("span", { class: "lab-bar-row" }, bar, text)) };
    });
    rows.push(cells);
    body.append(make("tr", {}, make("th", { scope: "row", title: name }, name), ...cells.map(({ cell }) => cell)));
  }
  const head = make("thead", {}, make("tr", {}, make("td"), ...heads));
  place.replaceChildren(make("table", { class: "lab-chances" }, head, body));
  return function show({ data }) {
    names.forEach((name, i) => {
      const chances = [...data.slice(i * classes.length, (i + 1) * classes.length)];
      const best = chances.indexOf(Math.max(...chances));
      heads[i].textContent = `${name}: ${classes[best] ?? "NaN"}`;
      chances.forEach((chance, row) => {
        const { bar, text, cell } = rows[row][i];
        bar.style.width = `${Number.isFinite(chance) ? 65 * chance : 0}%`;
        text.textContent = Number.isFinite(chance) ? `${Math.round(100 * chance)}%` : "NaN";
        cell.classList.toggle("lab-best", row === best);
      });
    });
  };
}

// The maps of one convolution side by side.
function makeMaps(place, lab, name) {
  const title = make("div", { class: "lab-title" });
  const frame = make("div");
  place.append(title, frame);
  const sizes = (width) => {
    const [count, rows, columns] = lab.array(name)?.shape ?? [1, 0, 1];
    const cell = Math.min(LARGEST_MAP, (width - (count - 1) * GAP) / count);
    return { count, rows, columns, across: cell, down: (cell * rows) / columns };
  };
  const draw = (context, width) => {
    const { count, rows, columns, across, down } = sizes(width);
    for (let i = 0; i < count && rows; i++) {
      const part = lab.array(name).data.subarray(i * rows * columns, (i + 1) * rows * columns);
      const picture = mapPicture(part, rows, columns, (number) => grey(number, 0, 255));
      putPicture(context, picture, i * (across + GAP), 0, across, down);
    }
  };
  const high = (width) => Math.ceil(sizes(width).down);
  const { canvas, redraw } = makeCanvas(frame, high, draw, lab.signal, { role: "img" });
  return function show(text) {
    title.textContent = text ?? "";
    canvas.setAttribute("aria-label", text ?? "no maps");
    place.hidden = !text;
    redraw();
  };
}

export default living((lab) => {
  const part = (name, ...inside) => make("div", { class: name }, ...inside);
  const [pad, upload, seen, chances] = ["", "", "lab-seen", ""].map((name) => part(name));
  const photo = make("details", { class: "lab-photo" }, make("summary", KEYS, "A photograph instead"), upload);
  const what = part("lab-title");
  const maps = [part(""), part("")];
  lab.place.append(part("lab-drawing", pad, part("", what, seen), chances), photo, ...maps);
  host(lab, "pad", makePad, pad);
  host(lab, "upload", makeUpload, upload);
  const picture = (context, width) => {
    if (!lab.array("image")) return;
    const {
      data,
      shape: [rows, columns],
    } = lab.array("image");
    putPicture(
      context,
      mapPicture(data, rows, columns, (number) => grey(number, 0, 255)),
      0,
      0,
      width,
      width,
    );
  };
  const image = makeCanvas(seen, (width) => width, picture, lab.signal, { role: "img" });
  let [shown, showChances] = ["", null];
  const showMaps = maps.map((place, i) => makeMaps(place, lab, `maps${i}`));
  return function draw() {
    const { networks, classes, source, titles } = lab.facts();
    if (!networks) return; // there is no network whose layers can be seen
    const heads = JSON.stringify([networks, classes]);
    if (shown !== heads) showChances = makeChances(chances, networks, classes);
    shown = heads;
    what.textContent = "the networks see";
    image.canvas.setAttribute("aria-label", `${source}, as the networks see it`);
    image.redraw();
    showChances(lab.array("chances"));
    showMaps.forEach((show, i) => show(titles[i]));
  };
});
