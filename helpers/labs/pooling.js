// The pooling lab: an image and its shifted copy, both pooled; the window, the number that it keeps, and the effect of
// a shift.

import { make, mapPicture } from "./canvas.js";
import { living } from "./lab.js";
import { decimals, makeSum, makeTable } from "./table.js";
import { grey } from "./theme.js";
import { makeMap, makeWindow, numbersIn, readers } from "./window.js";

const NAMES = ["image", "shifted", "before", "after"];

export default living((lab) => {
  const place = make("div", { class: "lab-maps lab-three" });
  const working = make("div", { class: "lab-working" });
  lab.place.append(place, working);
  const read = ([row, column], { data, shape }) => data[row * shape[1] + column];
  const counts = () => lab.array("before").shape;
  let shifted = false; // which of the two rows the hand is on
  const explorer = makeWindow(lab, {
    counts,
    axes: () => lab.facts().axes,
    show,
    pinned: ([row, column]) => lab.move({ row, column }),
  });
  const onto = (isShifted, hand) =>
    Object.fromEntries(
      Object.entries(hand).map(([name, action]) => [
        name,
        (cell) => {
          shifted = isShifted;
          action(cell);
        },
      ]),
    );
  const labels = ["pixel of the input", "pixel of the shifted input", "cell of the pooled map", "cell after the shift"];
  const map = (i) =>
    makeMap(place, lab, labels[i], onto(i % 2 === 1, i < 2 ? explorer.input : explorer.output), (cell) =>
      decimals(read(cell, lab.array(NAMES[i]))),
    );
  const change = (words) => {
    const share = make("strong");
    place.append(make("div", { class: "lab-change" }, share, make("span", {}, words)));
    return share;
  };
  const inputs = [map(0), map(1)];
  const ofInput = change("relative change of the input");
  const outputs = [map(2), map(3)];
  const ofMap = change("relative change of the pooled map");
  const showWindow = makeTable(working, "window");
  const showSum = makeSum(lab);

  function show() {
    const { axes, kind } = lab.facts();
    const cell = explorer.cell();
    const source = lab.array(NAMES[shifted ? 1 : 0]);
    const numbers = numbersIn(cell, axes, (row, column) => read([row, column], source));
    const size = axes[0].size;
    const result = kind === "max" ? Math.max(...numbers) : numbers.reduce((a, b) => a + b, 0) / numbers.length;
    const chosen = kind === "max" ? numbers.indexOf(result) : -1;
    const heading = `window in ${shifted ? "the shifted input" : "the input"}`;
    showWindow({ numbers, rows: size, columns: size, colour: grey, chosen, heading });
    showSum(
      `${kind === "max" ? "largest" : "mean"} of ${numbers.length}, row ${cell[0]}, column ${cell[1]}`,
      decimals(result),
    );
    const pixel = explorer.at.pixel;
    const cells = pixel
      ? readers(pixel[0], axes[0], counts()[0]).flatMap((row) =>
          readers(pixel[1], axes[1], counts()[1]).map((column) => ({ row, column, thin: true })),
        )
      : [{ row: cell[0], column: cell[1] }];
    const corner = axes.map(({ stride }, i) => cell[i] * stride);
    const frame = { row: corner[0], column: corner[1], height: size, width: size };
    const marks = pixel ? [{ row: pixel[0], column: pixel[1] }] : [frame];
    inputs.forEach((map) => map.mark(marks, pixel ?? corner));
    outputs.forEach((map) => map.mark(cells, cell, explorer.at.known));
    if (pixel) showSum.seers(cells.length, "map", pixel);
  }

  lab.press.slide = explorer.slide;
  return function draw() {
    if (!lab.isMoving("row", "column")) explorer.at.pinned = lab.facts().cell;
    explorer.at.over = null;
    const { titles, changes } = lab.facts();
    [...inputs, ...outputs].forEach((map, i) => {
      const {
        data,
        shape: [rows, columns],
      } = lab.array(NAMES[i]);
      const picture = mapPicture(data, rows, columns, grey);
      map.show({ picture, numbers: data, rows, columns, colour: grey, title: titles[i] });
    });
    [ofInput.textContent, ofMap.textContent] = changes;
    show();
  };
});
