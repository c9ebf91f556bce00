// The pooling lab: an image and its shifted copy, both pooled; the window, the number that it keeps, and what a shift
// changes.

import { make, mapPicture } from "./canvas.js";
import { living } from "./lab.js";
import { grey } from "./theme.js";
import { decimals, makeMap, makeTable, makeWindow, numbersIn, readers } from "./window.js";

const NAMES = ["image", "shifted", "before", "after"];

export default living((lab) => {
  const place = make("div", { class: "lab-maps lab-three" });
  const working = make("div", { class: "lab-working" });
  lab.place.append(place, working);
  const read = ([row, column], { data, shape }) => data[row * shape[1] + column];
  let shifted = false; // which of the two rows the hand is on
  const explorer = makeWindow(lab, {
    counts: () => lab.array("before").shape,
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
  const ofInput = change("of the input changed by the shift");
  const outputs = [map(2), map(3)];
  const ofMap = change("of the pooled map changed by the shift");
  const showWindow = makeTable(working, "window");
  const sign = make("span", { class: "lab-sign" }, "→");
  const how = make("div", { class: "lab-title" });
  const total = make("div", { class: "lab-total" });
  working.append(sign, make("div", { class: "lab-sum" }, how, total));
  const seen = make("p", { class: "lab-note" });
  lab.place.append(seen);

  function show() {
    const { axes, kind, titles, changes } = lab.facts();
    const arrays = NAMES.map(lab.array);
    const cell = explorer.cell();
    const source = arrays[shifted ? 1 : 0];
    const numbers = numbersIn(cell, axes, (row, column) => read([row, column], source));
    const size = axes[0].size;
    const result = kind === "max" ? Math.max(...numbers) : numbers.reduce((a, b) => a + b, 0) / numbers.length;
    const chosen = kind === "max" ? numbers.indexOf(result) : -1;
    const heading = `window in ${shifted ? "the shifted input" : "the input"}`;
    showWindow({ numbers, rows: size, columns: size, colour: grey, chosen, heading });
    how.textContent = `${kind === "max" ? "largest" : "mean"} of ${numbers.length}`;
    total.textContent = decimals(result);
    ofInput.textContent = changes[0];
    ofMap.textContent = changes[1];
    const pixel = explorer.at.pixel;
    const cells = pixel
      ? readers(pixel[0], axes[0], arrays[2].shape[0]).flatMap((row) =>
          readers(pixel[1], axes[1], arrays[2].shape[1]).map((column) => ({ row, column, thin: true })),
        )
      : [{ row: cell[0], column: cell[1] }];
    const corner = axes.map(({ stride }, i) => cell[i] * stride);
    const frame = { row: corner[0], column: corner[1], height: size, width: size };
    [...inputs, ...outputs].forEach((map, i) => {
      const { data, shape } = arrays[i];
      const [rows, columns] = shape;
      const known = i > 1 ? explorer.at.known : undefined;
      map.show({ picture: mapPicture(data, rows, columns, grey), numbers: data, rows, columns, colour: grey, title: titles[i], known });
      if (i > 1) map.mark(cells, cell);
      else map.mark([pixel ? { row: pixel[0], column: pixel[1] } : frame], pixel ?? corner);
    });
    const words = cells.length === 1 ? "1 cell of the map sees" : `${cells.length} cells of the map see`;
    seen.textContent = pixel ? `${words} the pixel in row ${pixel[0]}, column ${pixel[1]}.` : "";
  }

  lab.press.slide = explorer.slide;
  return function draw() {
    if (!lab.isMoving("row", "column")) explorer.at.pinned = lab.facts().cell;
    explorer.at.over = null;
    show();
  };
});
