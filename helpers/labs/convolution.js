// The convolution lab: a kernel whose numbers are typed where it is drawn, and its window, products and sum.

import { make, mapPicture } from "./canvas.js";
import { living } from "./lab.js";
import { decimals, makeSum, makeTable } from "./table.js";
import { grey, signed, written } from "./theme.js";
import { makeMap, makeWindow, numbersIn, readers } from "./window.js";

const strongestOf = (numbers) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

// The colours of a map from its most negative to its most positive number, beside its title.
function makeScale(map) {
  const [low, high] = [make("span"), make("span")];
  map.title.after(make("div", { class: "lab-scale" }, low, make("span", { class: "lab-colours" }), high));
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
  const result = makeMap(maps, lab, "cell of the output", explorer.output, (cell) => decimals(at(cell, output())));
  const scale = makeScale(result);
  const sign = (text) => working.append(make("span", { class: "lab-sign" }, text));
  const showWindow = makeTable(working, "input");
  sign("×");
  const showKernel = makeTable(working, "kernel", (row, column, number) => {
    const { data, shape } = kernel();
    data[row * shape[1] + column] = number;
    lab.move({
      numbers: Array.from({ length: shape[0] }, (_, i) => [...data.slice(i * shape[1], (i + 1) * shape[1])]),
    });
    show();
  });
  sign("=");
  const showProducts = makeTable(working, "products");
  const showSum = makeSum(lab);

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
    const how = products.length > 1 ? `sum of the ${products.length} products` : "the product";
    const pixel = explorer.at.pixel;
    showSum(`${how}, row ${cell[0]}, column ${cell[1]}`, written(Math.round(sum * 100) / 100 + 0, 6));
    if (pixel) {
      const [across, down] = axes.map((axis, i) => readers(pixel[i], axis, numbers.shape[i]));
      const cells = across.flatMap((row) => down.map((column) => ({ row, column, thin: true })));
      input.mark([{ row: pixel[0], column: pixel[1] }], pixel);
      result.mark(cells, cell);
      showSum.seers(
        cells.length,
        "output",
        pixel.map((place) => place - padding),
      );
    } else {
      const [top, left] = axes.map(({ stride }, i) => cell[i] * stride);
      const [height, width] = axes.map(({ size, dilation }) => dilation * (size - 1) + 1);
      const taps = axes[0].dilation > 1 ? tapsOf(cell, axes) : [];
      input.mark([{ row: top, column: left, height, width }, ...taps], [top, left]);
      result.mark([{ row: cell[0], column: cell[1] }], cell, explorer.at.known);
    }
  }

  lab.press.slide = explorer.slide;
  return function draw() {
    if (!lab.isMoving("row", "column")) explorer.at.pinned = lab.facts().cell;
    explorer.at.over = null;
    const { padding, inputTitle, outputTitle } = lab.facts();
    const [pixels, numbers] = [image(), output()];
    const inside = padding && {
      row: padding,
      column: padding,
      height: pixels.shape[0] - 2 * padding,
      width: pixels.shape[1] - 2 * padding,
    };
    const limit = strongestOf(numbers.data);
    input.show({ ...mapOf(pixels, grey, inputTitle), inside });
    result.show(mapOf(numbers, (number) => signed(number, limit), outputTitle));
    scale(limit);
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
