// Two networks race: the images that they get, how well each does on such images, what they confuse, and their curves.

import { makeCanvas, mapPicture, putPicture, putText } from "./canvas.js";
import { fitted, lineColours, makePoints, putChart } from "./curves.js";
import { makeGoing } from "./going.js";
import { living } from "./lab.js";
import { grey, inkOn } from "./theme.js";

const BLUES = [33, 102, 172];
const MOST_NAMED = 20; // classes whose numbers and names can be read in a matrix
const FEWEST = 3; // mistakes of a kind that are written into the matrix

export default living((lab) => {
  const showGoing = makeGoing(lab, lab.place, ["Train"]);
  const points = makePoints(lab);
  const hasCurves = () => (lab.model.get("going").curves ?? []).some((curve) => curve.points > 0);
  const isConfusion = () => lab.facts().view === "confusion";
  const pictureSide = (width) => Math.min((width - 7 * 6) / 8, 96);
  const barsHigh = (width) => pictureSide(width) + 176 + (hasCurves() ? 216 : 0);
  const heightOf = (width) => (isConfusion() ? matrixHeight(width, lab.facts()) : barsHigh(width));
  const { canvas, redraw } = makeCanvas(lab.place, heightOf, draw, lab.signal, { role: "img" });

  function draw(context, width) {
    const facts = lab.facts();
    if (isConfusion()) putConfusions(context, width, facts, lab.array("counts"));
    else {
      putImages(context, width, lab.array("images"));
      putBars(context, width, pictureSide(width) + 34, facts);
      if (hasCurves()) putRace(context, width, pictureSide(width) + 176);
    }
    canvas.setAttribute("aria-label", inWordsOf(facts, lab.array("counts")));
    const curves = lab.model.get("going").curves ?? [];
    lab.root.dataset.points = points.of(curves.at(-1)?.id).length;
  }

  function putImages(context, width, images) {
    const [count, channels, high, wide] = images.shape;
    const side = pictureSide(width);
    putText(context, "validation images, as the networks get them", 0, 8);
    for (let i = 0; i < count; i++) {
      const numbers = Array.from({ length: high * wide }, (_, pixel) => pixel);
      const part = (channel, pixel) => images.data[(i * channels + channel) * high * wide + pixel];
      const colour = (pixel) =>
        channels > 2 ? [0, 1, 2].map((channel) => part(channel, pixel)) : grey(part(0, pixel), 0, 255);
      putPicture(context, mapPicture(numbers, high, wide, colour), i * (side + 6), 20, side, side);
    }
  }

  function putRace(context, width, top) {
    const colours = lineColours(context.canvas);
    const curves = lab.model.get("going").curves ?? [];
    const end = lab.model.get("going").end ?? 1;
    const of = (column) =>
      curves.map(({ id, name }, i) => ({
        points: points.of(id).map((row) => [row[0], row[column]]),
        name,
        colour: i ? colours.other : colours.now,
        dashed: i > 0,
      }));
    const across = { x: [0, end], xLabel: "epoch", xTicks: [0, end / 3, (2 * end) / 3, end] };
    // Up to a little above the loss of guessing, in steps of 0.5.
    const highest = Math.ceil(2 * 1.08 * Math.log(lab.facts().classes.length)) / 2;
    const yTicks = Array.from({ length: 2 * highest + 1 }, (_, i) => i / 2);
    const half = (width - 12) / 2;
    const box = { x: 0, y: top, width: half, height: 210, names: 60 };
    putChart(context, box, { ...across, title: "training loss", y: [0, highest], yTicks }, of(1));
    const place = { ...box, x: half + 12 };
    const accuracy = { ...across, title: "training accuracy", y: [0, 1], yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1] };
    putChart(context, place, accuracy, of(2));
  }

  return () => {
    const going = lab.model.get("going");
    points.keep(going.curves ?? []);
    showGoing(going);
    redraw();
  };
});

// A bar for each network, and a mark for its accuracy on images that were not moved.
function putBars(context, width, top, { names, classes, accuracies, upright }) {
  const chance = 1 / classes.length;
  const colours = lineColours(context.canvas);
  const [left, right, row, high] = [84, width - 64, 44, 26];
  const across = (share) => left + share * (right - left);
  putText(context, "accuracy on such images; the line marks upright ones", 0, top);
  context.lineWidth = 1;
  const half = classes.length > 3 ? [[0.5, "50%"]] : []; // else it would overlap the mark of guessing
  const guessing = [chance, `${Math.round(100 * chance)}%: guessing`];
  for (const [share, note] of [[0, ""], guessing, ...half, [1, "100%"]]) {
    context.fillStyle = colours.grid;
    context.fillRect(Math.round(across(share)), top + 14, 1, 2 * row + 2);
    putText(context, note, across(share), top + 2 * row + 26, { size: 12, align: "center" });
  }
  for (const [i, name] of names.entries()) {
    const y = top + 20 + i * row;
    putText(context, fitted(context, name, left - 8, 14), 0, y + high / 2, { size: 14 });
    context.fillStyle = i ? colours.other : colours.now;
    context.fillRect(left, y, across(accuracies[i]) - left, high);
    context.fillStyle = colours.ink;
    context.fillRect(across(upright[i]) - 1, y - 5, 3, high + 10);
    const text = `${(100 * accuracies[i]).toFixed(1)}%`;
    putText(context, text, width, y + high / 2, { size: 15, weight: "bold", align: "right" });
  }
}

const LINE = 18; // pixels
const SIDE_NAMES = 92; // pixels for the names of the true classes
const matrixSide = (width) => Math.min((width - SIDE_NAMES - 16) / 2, 330);
const matrixHeight = (width, { classes, worst }) =>
  matrixSide(width) + (classes.length > MOST_NAMED ? 70 + LINE * Math.max(...worst.map((texts) => texts.length)) : 66);

// The confusion matrices of both, true classes in rows; the colour is the root of the row's share, or one mistake
// would vanish beside the many right answers.
function putConfusions(context, width, { names, classes, worst }, counts) {
  const count = classes.length;
  const isMany = count > MOST_NAMED;
  const [side, top] = [matrixSide(width), 44];
  const cell = side / count;
  const size = Math.min(12, 0.6 * cell);
  for (const [i, name] of names.entries()) {
    const left = SIDE_NAMES + i * (side + 16);
    const matrix = counts.data.subarray(i * count * count, (i + 1) * count * count);
    const shares = matrix.map((number, at) => {
      const row = Math.floor(at / count) * count;
      const total = matrix.subarray(row, row + count).reduce((sum, one) => sum + one, 0);
      return Math.sqrt(number / Math.max(total, 1));
    });
    const colour = (share) => BLUES.map((part) => Math.round(255 + (part - 255) * share));
    putText(context, fitted(context, name, 0.95 * side, 14), left, 10, { weight: "bold" });
    putPicture(context, mapPicture(shares, count, count, colour), left, top, side, side);
    if (isMany) {
      worst[i].forEach((text, at) => {
        const style = { size: 12 };
        putText(context, fitted(context, text, side, 12), left, top + side + 34 + LINE * at, style);
      });
      continue;
    }
    for (const [at, number] of matrix.entries()) {
      if (number < FEWEST) continue;
      const [row, column] = [Math.floor(at / count), at % count];
      const style = { align: "center", size, colour: inkOn(colour(shares[at])) };
      putText(context, String(number), left + (column + 0.5) * cell, top + (row + 0.5) * cell, style);
    }
    const heading = { size, align: "center" };
    for (let at = 0; at < count; at++) putText(context, String(at), left + (at + 0.5) * cell, top - 10, heading);
  }
  for (const [at, name] of isMany ? [] : classes.entries()) {
    const text = name === String(at) ? name : `${at} ${name}`;
    const y = top + (at + 0.5) * cell;
    putText(context, fitted(context, text, SIDE_NAMES - 8, size), SIDE_NAMES - 6, y, { size, align: "right" });
  }
  const note = `rows: true class, columns: what the network says${isMany ? "; most often:" : "; blank: below 3"}`;
  putText(context, note, 0, top + side + 14, { size: 12 });
}

// The same for screen readers.
function inWordsOf({ view, names, accuracies, upright, classes }, counts) {
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  if (view !== "confusion") {
    const said = names.map((name, i) => `${name} ${percent(accuracies[i])}, on upright ones ${percent(upright[i])}`);
    return `Accuracy on such images: ${said.join("; ")}`;
  }
  const count = classes.length;
  const worst = names.map((name, i) => {
    let [most, place] = [0, 0];
    for (let at = 0; at < count * count; at++) {
      const number = counts.data[i * count * count + at];
      if (Math.floor(at / count) !== at % count && number > most) [most, place] = [number, at];
    }
    if (!most) return `${name}, no mistake`;
    const [truth, said] = [classes[Math.floor(place / count)], classes[place % count]];
    return `${name}, most often ${truth} taken for ${said} (${most} times)`;
  });
  return `Confusion matrices of ${worst.join("; ")}`;
}
