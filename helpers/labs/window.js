// The window explorer: maps under the hand, a window that moves over them, and the numbers in it.

import { KEYS, make, makeCanvas, play, putMarker, putPicture, putText } from "./canvas.js";
import { decimals } from "./table.js";
import { inkOn, pageColour } from "./theme.js";

const STEPS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -1e6],
  End: [0, 1e6],
};
const MARKED = 3; // pixels around a map, so that a marker at its edge is not cut off

// One map on a canvas. `hand` has what happens under a pointer or a finger, each with [row, column]: over (it moves
// above the map), drag (it is held down), set (it is let go), and out(); and step([rows, columns]) of the arrow keys.
// show({picture, rows, columns, title, ...}) is another map, its cells as high as wide, or `flat` times as high.
// mark([{row, column, height, width}], cell, known) draws it with markers, in cells, and of its numbers the first
// `known` if not all. what(cell) tells a screen reader what is there.
export function makeMap(place, lab, name, hand, what) {
  const title = make("div", { class: "lab-title" });
  const frame = make("div", { class: "lab-map" }, make("div", { class: "lab-head" }, title));
  place.append(frame);
  let [map, marks, known, cell, high] = [null, [], undefined, 1, 1]; // a cell is `cell` wide and `high`
  // The map without its markers. One with numbers is kept for the next move: 784 of them take 14 ms.
  let [kept, keptOf] = [null, []];
  const drawMap = (context) => {
    const { width, height } = context.canvas;
    const wanted = [map, width, height];
    if (wanted.every((part, i) => part === keptOf[i])) {
      context.save();
      context.resetTransform();
      context.drawImage(kept, 0, 0);
      context.restore();
      return;
    }
    putPicture(context, map.picture, 0, 0, map.columns * cell, map.rows * high);
    if (map.inside) putEdge(context, map.inside, cell);
    if (!map.numbers || cell < (map.least ?? 26)) return;
    putNumbers(context, map, cell, high);
    [kept, keptOf] = [new OffscreenCanvas(width, height), wanted];
    kept.getContext("2d").drawImage(context.canvas, 0, 0);
  };
  const draw = (context, width) => {
    if (!map) return;
    cell = (width - 2 * MARKED) / Math.max(map.rows, map.columns);
    high = cell * (map.flat ?? 1);
    context.translate(MARKED, MARKED);
    drawMap(context);
    if (known !== undefined) hideUnknown(context, map, known, cell, pageColour(frame, "--lab-paper", "#fff"));
    for (const { row, column, height = 1, width: across = 1, thin } of marks) {
      putMarker(context, column * cell, row * high, across * cell, height * high, thin);
    }
  };
  const heightOf = (width) =>
    map ? ((width - 2 * MARKED) * map.rows * (map.flat ?? 1)) / Math.max(map.rows, map.columns) + 2 * MARKED : 0;
  const attributes = {
    tabindex: 0,
    role: "slider",
    "aria-label": name,
    "aria-valuemin": 0,
    "aria-valuenow": 0,
    "aria-description": "arrow keys move it; with Shift they look, as a pointer does",
    ...KEYS,
  };
  const { canvas, redraw } = makeCanvas(frame, heightOf, draw, lab.signal, attributes);

  const clamp = (at) => [Math.min(Math.max(at[0], 0), map.rows - 1), Math.min(Math.max(at[1], 0), map.columns - 1)];
  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const [down, across] = [event.clientY - box.top - MARKED, event.clientX - box.left - MARKED];
    return clamp([Math.floor(down / high), Math.floor(across / cell)]);
  };
  let [held, cursor] = [false, [0, 0]]; // cursor: the cell that a screen reader describes
  const listen = (kind, action) => canvas.addEventListener(kind, action, { signal: lab.signal });
  listen("pointerdown", (event) => {
    held = true;
    canvas.setPointerCapture(event.pointerId);
    hand.drag(cellAt(event));
  });
  listen("pointermove", (event) => (held ? hand.drag : hand.over)(cellAt(event)));
  listen("pointerup", (event) => {
    if (held) hand.set(cellAt(event));
    held = false;
  });
  listen("pointercancel", () => {
    held = false;
    hand.out();
  });
  listen("pointerleave", () => held || hand.out());
  listen("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    if (event.shiftKey) hand.over(clamp(cursor.map((place, i) => place + step[i])));
    else hand.step(step);
  });
  listen("blur", () => held || hand.out());
  return {
    title,
    show(next) {
      map = next;
      title.textContent = map.title;
      canvas.setAttribute("aria-valuemax", Math.max(map.rows * map.columns - 1, 1));
    },
    mark(next, at, count) {
      [marks, known] = [next, count];
      cursor = clamp(at);
      canvas.setAttribute("aria-valuenow", cursor[0] * map.columns + cursor[1]);
      canvas.setAttribute("aria-valuetext", `row ${cursor[0]}, column ${cursor[1]}: ${what(cursor)}`);
      redraw();
    },
  };
}

// A dotted line around the image inside its padding; inside: cells of padding.
function putEdge(context, inside, cell) {
  const { row, column, height, width } = inside;
  context.setLineDash([3, 3]);
  context.strokeStyle = "#56b4e9";
  context.lineWidth = 2;
  context.strokeRect(column * cell, row * cell, width * cell, height * cell);
  context.setLineDash([]);
}

// The numbers of a map, each in its cell; `least`: pixels of a cell from which on they have room.
function putNumbers(context, { numbers, rows, columns, colour }, cell, high) {
  const texts = Array.from({ length: rows * columns }, (_, i) => decimals(numbers[i]));
  const longest = texts.reduce((found, text) => (text.length > found.length ? text : found), "");
  context.font = `12px ${getComputedStyle(context.canvas).fontFamily}`;
  const fitting = (12 * 0.88 * cell) / context.measureText(longest).width; // or else neighbours would run together
  const size = Math.min(12, fitting, 0.8 * high);
  texts.forEach((text, i) => {
    const [x, y] = [(i % columns) + 0.5, Math.floor(i / columns) + 0.5];
    putText(context, text, x * cell, y * high, { colour: inkOn(colour(numbers[i])), size, align: "center" });
  });
}

// Cover the cells that have not been computed yet.
function hideUnknown(context, { rows, columns }, known, cell, paper) {
  const [row, column] = [Math.floor(known / columns), known % columns];
  context.fillStyle = paper;
  context.fillRect(column * cell, row * cell, (columns - column) * cell, cell);
  context.fillRect(0, (row + 1) * cell, columns * cell, (rows - row - 1) * cell);
}

// The rows (or columns) of an output of `count` whose windows read row (or column) `at` of the input.
export function readers(at, { size, stride, dilation, before = 0 }, count) {
  const cells = Array.from({ length: size }, (_, tap) => (at + before - tap * dilation) / stride);
  return cells.filter((cell) => Number.isInteger(cell) && cell >= 0 && cell < count);
}

// The numbers of a map in the window of a cell. axes: {size, stride, dilation} of rows and of columns, and `before`,
// the padding at their beginning; read(row, column) gives a number.
export function numbersIn(cell, axes, read) {
  const [rows, columns] = axes.map(({ size, stride, dilation, before = 0 }, axis) =>
    Array.from({ length: size }, (_, tap) => cell[axis] * stride - before + tap * dilation),
  );
  return rows.flatMap((row) => columns.map((column) => read(row, column)));
}

// Where the hand is: the pinned cell of the output, the one that a pointer is over, and a pixel of the input instead.
// counts(): rows and columns of the output; axes(): see numbersIn; show(): draws again; pinned(cell) tells Python.
export function makeWindow(lab, { counts, axes, show, pinned }) {
  const at = { pinned: [0, 0], over: null, pixel: null, known: undefined };
  let stop = null;
  const button = () => lab.root.querySelector("button[name=slide]");
  const words = button().textContent;
  const label = (text) => (button().textContent = text);
  const end = () => {
    if (stop) label(words);
    stop?.();
    [stop, at.known] = [null, undefined];
  };
  const put = (changes) => {
    end();
    Object.assign(at, { over: null, pixel: null }, changes);
    show();
  };
  const pin = (cell) => {
    put({ pinned: cell });
    pinned(cell);
  };
  // The cell whose window has this pixel in its middle.
  const around = (pixel) =>
    pixel.map((place, i) => {
      const { size, stride, dilation } = axes()[i];
      const cell = Math.round((place - (dilation * (size - 1)) / 2) / stride);
      return Math.min(Math.max(cell, 0), counts()[i] - 1);
    });
  const step = (by) => pin(at.pinned.map((place, i) => Math.min(Math.max(place + by[i], 0), counts()[i] - 1)));
  const out = () => at.known === undefined && put({});
  const unlessPlaying = (action) => (cell) => at.known === undefined && action(cell);
  return {
    at,
    cell: () => at.over ?? at.pinned,
    output: {
      over: unlessPlaying((cell) => put({ over: cell })),
      drag: (cell) => put({ over: cell }),
      set: pin,
      out,
      step,
    },
    input: {
      over: unlessPlaying((pixel) => put({ pixel })),
      drag: (pixel) => put({ over: around(pixel) }),
      set: (pixel) => pin(around(pixel)),
      out,
      step,
    },
    // Play the window over the whole input, as a teacher does at the board: slowly at first, in 15 seconds at most.
    slide() {
      if (stop) return put({});
      label("stop");
      put({});
      const total = counts()[0] * counts()[1];
      const ticks = Math.min(total, 120);
      let tick = 0;
      at.known = 0;
      stop = play(
        () => {
          tick += 1;
          if (tick > ticks) return put({}) ?? false;
          at.known = Math.max(Math.min(tick, total), Math.round(total * (tick / ticks) ** 2));
          at.over = [Math.floor((at.known - 1) / counts()[1]), (at.known - 1) % counts()[1]];
          show();
          return true;
        },
        125,
        lab.signal,
      );
    },
    playing: () => at.known !== undefined,
  };
}
