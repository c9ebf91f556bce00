// How a layer computes one number: the products of a convolution, a pooling's window, or an activation's curve.

import { make, makeCanvas, mapPicture, putMarker, putPicture, putText } from "./canvas.js";
import { makeTable } from "./table.js";
import { grey, signed, written } from "./theme.js";
import { numbersIn } from "./window.js";

const MOST = 16; // channels side by side

const total = (numbers) => numbers.reduce((a, b) => a + b, 0);
const most = (numbers) => numbers.reduce((found, number) => Math.max(found, Math.abs(number)), 0);
export const four = (number) => (Math.round(number * 1e4) / 1e4 + 0).toFixed(4).replace("-", "−");

// A line of the sum, and under it what it is made of; returns show(cell, read, patch).
export function makeWorking(lab) {
  const sum = make("p", { class: "lab-formula" });
  const sees = make("p", { class: "lab-note" });
  const place = make("div", { class: "lab-working" });
  lab.place.append(sum, sees, place);
  let [shown, parts] = [null, null];
  return function show(cell, read, patch) {
    const { kind, first } = lab.facts();
    const many = kind === "convolution" && lab.array("weights").shape[1] > 1;
    const wanted = many ? "channels" : kind === "apply" ? "curve" : kind === "convolution" ? "products" : "window";
    if (shown !== wanted) {
      place.replaceChildren();
      [shown, parts] = [wanted, { channels, curve, products, window: pooled }[wanted](place, lab)];
    }
    const limit = most(below(lab).data);
    const colour = first ? (number) => grey(number) : (number) => signed(number, limit);
    sum.textContent = parts(cell, read, colour);
    sees.textContent = patch
      ? `It sees ${span("row", patch.row, patch.height)}, ${span("column", patch.column, patch.width)} of the image.`
      : "It sees nothing but padding.";
  };
}

const span = (name, from, count) => (count === 1 ? `${name} ${from}` : `${name}s ${from}–${from + count - 1}`);

// What the layer reads; for the first that is the image, from 0 to 1, which does not come twice.
function below(lab) {
  if (lab.array("below")) return lab.array("below");
  const { data, shape } = lab.array("image");
  const isBytes = data instanceof Uint8Array;
  return { data: isBytes ? Float32Array.from(data, (byte) => byte / 255) : data, shape: [1, ...shape].slice(-3) };
}

// What a convolution reads for a cell: {channels, windows, weights, sums, bias}, one of each for an input channel.
function convolved(lab, [channel, row, column], read) {
  const { axes, perGroup } = lab.facts();
  const {
    data,
    shape: [, depth, height, width],
  } = lab.array("weights");
  const size = height * width;
  const start = Math.floor(channel / perGroup) * depth;
  const channels = Array.from({ length: depth }, (_, i) => start + i);
  const maps = below(lab);
  const windows = channels.map((c) => numbersIn([row, column], axes, (y, x) => read(maps, [c, y, x])));
  const weights = channels.map((_, i) => data.subarray((channel * depth + i) * size, (channel * depth + i + 1) * size));
  const sums = windows.map((numbers, i) => total(numbers.map((number, k) => number * weights[i][k])));
  return { channels, windows, weights, sums, bias: lab.array("bias").data[channel], height, width };
}

function sentence({ windows, sums, bias, height, width }) {
  const count = [windows.length, height, width].filter((size) => size > 1).join("·") || "1";
  const sign = bias < 0 ? "−" : "+";
  const result = four(total(sums) + bias);
  return `sum of ${count} products and bias: ${four(total(sums))} ${sign} ${four(Math.abs(bias))} = ${result}`;
}

function products(place, lab) {
  const put = (sign) => place.append(make("span", { class: "lab-sign" }, sign));
  const showWindow = makeTable(place, "input");
  put("×");
  const showWeights = makeTable(place, "weights");
  put("=");
  const showProducts = makeTable(place, "products");
  return (cell, read, colour) => {
    const found = convolved(lab, cell, read);
    const [[numbers], [weights]] = [found.windows, found.weights];
    const size = { rows: found.height, columns: found.width };
    const made = numbers.map((number, i) => number * weights[i]);
    showWindow({ numbers, ...size, colour });
    showWeights({ numbers: weights, ...size, colour: (number) => signed(number, most(weights)) });
    showProducts({ numbers: made, ...size, colour: (number) => signed(number, most(made)) });
    return sentence(found);
  };
}

// Windows, weights and sums of the channels side by side; of more than 16, those that matter most to this cell.
function channels(place, lab) {
  let found = null;
  let colour = null;
  const frame = make("div", { class: "lab-map lab-wide" });
  place.append(frame);
  const draw = (context, width) => {
    if (!found) return;
    const order = found.sums.map((_, i) => i).sort((a, b) => Math.abs(found.sums[b]) - Math.abs(found.sums[a]));
    const shown = order.slice(0, MOST).sort((a, b) => a - b);
    const slot = Math.min((width - 76) / shown.length, 90);
    const cell = Math.min((slot - 6) / found.width, 56 / found.height);
    const strong = Math.max(...found.weights.map(most));
    const [high, wide] = [cell * found.height, cell * found.width];
    ["channel", "input", "× weights", "= sum"].forEach((text, i) =>
      putText(context, text, 0, [10, 22 + high / 2, 30 + 1.5 * high, 44 + 2 * high][i], { size: 12 }),
    );
    shown.forEach((i, k) => {
      const [x, middle] = [76 + k * slot, 76 + k * slot + wide / 2];
      const put = (numbers, paint, y) =>
        putPicture(context, mapPicture(numbers, found.height, found.width, paint), x, y, wide, high);
      putText(context, String(found.channels[i]), middle, 10, { size: 12, align: "center" });
      put(found.windows[i], colour, 22);
      put(found.weights[i], (number) => signed(number, strong), 30 + high);
      putText(context, written(Number(found.sums[i].toFixed(3))), middle, 44 + 2 * high, {
        size: slot < 44 ? 10 : 12,
        align: "center",
      });
    });
    const rest = order.slice(MOST).map((i) => found.sums[i]);
    if (rest.length)
      putText(context, `the other ${rest.length} channels add ${four(total(rest))}`, 0, 66 + 2 * high, { size: 12 });
  };
  const { canvas, redraw } = makeCanvas(frame, () => 190, draw, lab.signal, { role: "img", "aria-label": "sums" });
  return (cell, read, paint) => {
    [found, colour] = [convolved(lab, cell, read), paint];
    const sums = found.sums.map((sum, i) => `channel ${found.channels[i]}: ${written(Number(sum.toFixed(3)))}`);
    canvas.setAttribute("aria-label", `sums of the products, ${sums.join("; ")}`);
    redraw();
    return sentence(found);
  };
}

function pooled(place, lab) {
  const showWindow = makeTable(place, "window");
  return ([channel, row, column], read, colour) => {
    const { axes, kind } = lab.facts();
    const maps = below(lab);
    const numbers = numbersIn([row, column], axes, (y, x) => read(maps, [channel, y, x]));
    const largest = Math.max(...numbers);
    const chosen = kind === "max" ? numbers.indexOf(largest) : -1;
    showWindow({ numbers, rows: axes[0].size, columns: axes[1].size, colour, chosen });
    if (kind === "max") return `largest of ${numbers.length} numbers: ${four(largest)}`;
    const count = numbers.length;
    return `mean of ${count} numbers: ${four(total(numbers))} / ${count} = ${four(total(numbers) / count)}`;
  };
}

function curve(place, lab) {
  let at = null;
  const frame = make("div", { class: "lab-map lab-curve" });
  place.append(frame);
  const draw = (context, width, height) => {
    if (!at) return;
    const [x, all] = [lab.array("x").data, lab.array("curves")];
    const y = all.data.subarray(at.channel * x.length, (at.channel + 1) * x.length);
    const [low, high] = [Math.min(0, ...y), Math.max(1e-6, ...y)];
    const place = (a, b) => [
      8 + ((a - x[0]) / (x.at(-1) - x[0])) * (width - 16),
      10 + ((high - b) / (high - low)) * (height - 36),
    ];
    const line = (points, colour, thick) => {
      context.beginPath();
      points.forEach((point) => context.lineTo(...place(...point)));
      [context.strokeStyle, context.lineWidth] = [colour, thick];
      context.stroke();
    };
    line(
      [
        [x[0], 0],
        [x.at(-1), 0],
      ],
      "rgb(128 128 128)",
      1,
    );
    line(
      [
        [0, low],
        [0, high],
      ],
      "rgb(128 128 128)",
      1,
    );
    line(
      [...x].map((a, i) => [a, y[i]]),
      "#1e88e5",
      2.5,
    );
    putText(context, written(x[0]), 8, height - 10, { size: 12 });
    putText(context, written(x.at(-1)), width - 8, height - 10, { size: 12, align: "right" });
    const [left, top] = place(at.x, at.y);
    putMarker(context, left - 4, top - 4, 8, 8);
  };
  const attributes = { role: "img", "aria-label": "the layer's function" };
  const { redraw } = makeCanvas(frame, () => 150, draw, lab.signal, attributes);
  return (cell, read) => {
    at = { channel: cell[0], x: read(below(lab), cell), y: read(lab.array("maps"), cell) };
    redraw();
    return `${lab.facts().function}(${four(at.x)}) = ${four(at.y)}`;
  };
}
