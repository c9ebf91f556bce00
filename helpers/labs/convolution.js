// The convolution lab: a kernel whose numbers are typed where it is drawn, and its window, products and sum.

import { make, mapPicture } from "./canvas.js";
import { living } from "./lab.js";
import { grey, signed, written } from "./theme.js";
import { decimals, makeMap, makeTable, makeWindow, numbersIn, readers } from "./window.js";

const strongestOf = (numbers) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

// The colours of a map from its most negative to its most positive number.
function makeScale(place) {
  const [low, high] = [make("span"), make("span")];
  place.append(make("div", { class: "lab-scale" }, low, make("span", { class: "lab-colours" }), high));
  return (limit) => {
    low.textContent = limit ? written(-limit) : "negative";
    high.textContent = limit ? written(limit) : "positive";
  };
}

export default living((lab) => {
  const maps = make("div", { class: "lab-maps" });
  const working = make("div", { class: "lab-working" });
  lab.place.append(maps, working);
  const at = ([row, column], { data, shape }) => data[row * shape[1] + column];
  const [image, kernel, output] = ["image", "kernel", "output"].map((name) => () => lab.array(name));
  const explorer = makeWindow(lab, {
    counts: () => output().shape,
    axes: () => lab.facts().axes,
    show,
    pinned: ([row, column]) => lab.move({ row, column }),
  });
  const input = makeMap(maps, lab, "pixel of the input", explorer.input, (pixel) => decimals(at(pixel, image())));
  const right = make("div");
  maps.append(right);
  const result = makeMap(right, lab, "cell of the output", explorer.output, (cell) => decimals(at(cell, output())));
  const scale = makeScale(right);
  const sign = (text) => working.append(make("span", { class: "lab-sign" }, text));
  const showWindow = makeTable(working, "input");
  sign("×");
  const showKernel = makeTable(working, "kernel", (row, column, number) => {
    const { data, shape } = kernel();
    data[row * shape[1] + column] = number;
    lab.move({ numbers: Array.from({ length: shape[0] }, (_, i) => [...data.slice(i * shape[1], (i + 1) * shape[1])]) });
    show();
  });
  sign("=");
  const showProducts = makeTable(working, "products");
  sign("→");
  const total = make("div", { class: "lab-total" });
  const how = make("div", { class: "lab-title" });
  const where = make("div", { class: "lab-title" });
  working.append(make("div", { class: "lab-sum" }, how, total, where));
  const seen = make("p", { class: "lab-note" });
  lab.place.append(seen);

  function show() {
    const { axes, padding } = lab.facts();
    const [pixels, weights, numbers] = [image(), kernel(), output()];
    const cell = explorer.cell();
    const read = numbersIn(cell, axes, (row, column) => at([row, column], pixels));
    const products = read.map((number, i) => number * weights.data[i]);
    const sum = products.reduce((a, b) => a + b, 0);
    const strongest = strongestOf(weights.data);
    const [rows, columns] = weights.shape;
    showWindow({ numbers: read, rows, columns, colour: grey });
    showKernel({ numbers: weights.data, rows, columns, colour: (n) => signed(n, strongest), text: written });
    showProducts({ numbers: products, rows, columns, colour: (n) => signed(n, strongest) });
    total.textContent = written(Math.round(sum * 100) / 100 + 0, 6);
    how.textContent = products.length > 1 ? `sum of the ${products.length}` : "the product";
    where.textContent = `row ${cell[0]}, column ${cell[1]}`;

    const limit = strongestOf(numbers.data);
    const colour = (number) => signed(number, limit);
    const inside = padding && {
      row: padding, column: padding, height: pixels.shape[0] - 2 * padding, width: pixels.shape[1] - 2 * padding,
    };
    input.show({ ...mapOf(pixels, grey, lab.facts().inputTitle), inside });
    result.show({ ...mapOf(numbers, colour, lab.facts().outputTitle), known: explorer.at.known });
    const pixel = explorer.at.pixel;
    if (pixel) {
      const [across, down] = axes.map((axis, i) => readers(pixel[i], axis, numbers.shape[i]));
      const cells = across.flatMap((row) => down.map((column) => ({ row, column, thin: true })));
      input.mark([{ row: pixel[0], column: pixel[1] }], pixel);
      result.mark(cells, cell);
      const cellsSee = cells.length === 1 ? "1 cell of the output sees" : `${cells.length} cells of the output see`;
      seen.textContent = `${cellsSee} the pixel in row ${pixel[0] - padding}, column ${pixel[1] - padding}.`;
    } else {
      const [top, left] = axes.map(({ stride }, i) => cell[i] * stride);
      const [height, width] = axes.map(({ size, dilation }) => dilation * (size - 1) + 1);
      const taps = axes[0].dilation > 1 ? tapsOf(cell, axes) : [];
      input.mark([{ row: top, column: left, height, width }, ...taps], [top, left]);
      result.mark([{ row: cell[0], column: cell[1] }], cell);
      seen.textContent = "";
    }
    scale(limit);
  }

  lab.press.slide = explorer.slide;
  return function draw() {
    if (!lab.isMoving("row", "column")) explorer.at.pinned = lab.facts().cell;
    explorer.at.over = null;
    show();
  };
});

// The pixels that a dilated kernel reads, each with a marker.
function tapsOf(cell, axes) {
  const places = [];
  numbersIn(cell, axes, (row, column) => places.push({ row, column, thin: true }));
  return places;
}

function mapOf({ data, shape: [rows, columns] }, colour, title) {
  return { picture: mapPicture(data, rows, columns, colour), numbers: data, rows, columns, colour, title };
}
