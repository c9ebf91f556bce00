// The window explorer: maps under the hand, a window that moves over them, and the numbers in it.

import { KEYS, make, makeCanvas, play, putMarker, putPicture, putText } from "./canvas.js";
import { css, inkOn, pageColour, written } from "./theme.js";

const STEPS = {
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -1e6], End: [0, 1e6],
};
const MARKED = 3; // pixels around a map, so that a marker at its edge is seen whole

// One map on a canvas. `hand` has what happens under a pointer or a finger, each with [row, column]: over (it moves above
// the map), drag (it is held down), set (it is let go), and out(); and under the arrow keys, step([rows, columns]).
// show({picture, rows, columns, title, ...}) shows another map, mark([{row, column, height, width}]) puts markers, in
// cells; what(cell) tells a screen reader what is there.
export function makeMap(place, lab, name, hand, what) {
  const title = make("div", { class: "lab-title" });
  const frame = make("div", { class: "lab-map" }, title);
  place.append(frame);
  let [map, marks, cell] = [null, [], 1];
  const draw = (context, width) => {
    if (!map) return;
    cell = (width - 2 * MARKED) / Math.max(map.rows, map.columns);
    context.translate(MARKED, MARKED);
    putPicture(context, map.picture, 0, 0, map.columns * cell, map.rows * cell);
    if (map.inside) putEdge(context, map.inside, cell);
    if (cell >= 26 && map.numbers) putNumbers(context, map, cell);
    if (map.known !== undefined) hideUnknown(context, map, cell, pageColour(frame, "--lab-paper", "#fff"));
    for (const { row, column, height = 1, width: across = 1, thin } of marks) {
      putMarker(context, column * cell, row * cell, across * cell, height * cell, thin);
    }
  };
  const heightOf = (width) => (map ? ((width - 2 * MARKED) * map.rows) / Math.max(map.rows, map.columns) + 2 * MARKED : 0);
  const attributes = { tabindex: 0, role: "slider", "aria-label": name, "aria-valuemin": 0, "aria-valuenow": 0, ...KEYS };
  const { canvas, redraw } = makeCanvas(frame, heightOf, draw, lab.signal, attributes);

  const clamp = (at) => [Math.min(Math.max(at[0], 0), map.rows - 1), Math.min(Math.max(at[1], 0), map.columns - 1)];
  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const at = [event.clientY - box.top, event.clientX - box.left].map((place) => Math.floor((place - MARKED) / cell));
    return clamp(at);
  };
  let held = false;
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
    hand.step(step);
  });
  return {
    canvas,
    show(next) {
      map = next;
      title.textContent = map.title;
      canvas.setAttribute("aria-valuemax", Math.max(map.rows * map.columns - 1, 1));
      redraw();
    },
    mark(next, at) {
      marks = next;
      const cursor = clamp(at);
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

// The numbers of a small map, each in its cell.
function putNumbers(context, { numbers, rows, columns, colour }, cell) {
  for (let i = 0; i < rows * columns; i++) {
    const [x, y] = [(i % columns) + 0.5, Math.floor(i / columns) + 0.5];
    putText(context, decimals(numbers[i]), x * cell, y * cell, { colour: inkOn(colour(numbers[i])), size: 11, align: "center" });
  }
}

// Cover the cells that have not been computed yet.
function hideUnknown(context, { known, rows, columns }, cell, paper) {
  const [row, column] = [Math.floor(known / columns), known % columns];
  context.fillStyle = paper;
  context.fillRect(column * cell, row * cell, (columns - column) * cell, cell);
  context.fillRect(0, (row + 1) * cell, columns * cell, (rows - row - 1) * cell);
}

// A number with at most two decimals and, if there is room, three digits.
export function decimals(number) {
  return written(Math.round(number * 100) / 100 + 0);
}

// A matrix of numbers in coloured cells; without numbers if they are many. With `typed(row, column, number)` they can be
// typed. show({numbers, rows, columns, colour, text, chosen}); chosen: the place of the one that was taken.
export function makeTable(place, name, typed) {
  const title = make("div", { class: "lab-title" }, name);
  const grid = make("div", { class: "lab-table" });
  const sign = make("div", { class: "lab-numbers" }, title, grid);
  place.append(sign);
  let [cells, width, open, last] = [[], 0, false, null];
  const build = (rows, columns) => {
    cells = Array.from({ length: rows * columns }, (_, i) => {
      const label = `${name} row ${Math.floor(i / columns) + 1}, column ${(i % columns) + 1}`;
      if (!open) return make("span");
      return typedCell(label, (number) => typed(Math.floor(i / columns), i % columns, number), () => show(last));
    });
    width = columns;
    grid.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    grid.replaceChildren(...cells);
  };
  function show(matrix) {
    last = matrix;
    const { numbers, rows, columns, colour, text = decimals, chosen = -1, heading = name } = matrix;
    const few = rows <= 5 && columns <= 5;
    title.textContent = heading;
    if (cells.length !== rows * columns || width !== columns || open !== Boolean(typed && few)) {
      open = Boolean(typed && few);
      build(rows, columns);
    }
    grid.classList.toggle("lab-many", !few);
    cells.forEach((element, i) => {
      const parts = colour(numbers[i]);
      element.style.background = css(parts);
      element.style.color = inkOn(parts);
      element.classList.toggle("lab-chosen", i === chosen);
      if (open && element !== document.activeElement) element.value = text(numbers[i]);
      if (!open) element.textContent = few ? text(numbers[i]) : "";
    });
  }
  return show;
}

// left(): the hand has left the field, which may now be written as all others are.
function typedCell(label, typed, left) {
  const field = make("input", { type: "text", inputmode: "decimal", "aria-label": label, ...KEYS });
  field.addEventListener("input", () => {
    // As keyboards of all countries write it; while it is half typed, as "−" or "1e", it is not a number yet.
    const text = field.value.trim().replace(/[−–]/, "-").replace(",", ".");
    const number = text === "" ? NaN : Number(text);
    field.setAttribute("aria-invalid", String(!Number.isFinite(number)));
    if (Number.isFinite(number)) typed(number);
  });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", () => {
    field.removeAttribute("aria-invalid");
    left();
  });
  return field;
}

// The rows (or columns) of an output of `count` whose windows read row (or column) `at` of the input.
export function readers(at, { size, stride, dilation, before = 0 }, count) {
  const cells = Array.from({ length: size }, (_, tap) => (at + before - tap * dilation) / stride);
  return cells.filter((cell) => Number.isInteger(cell) && cell >= 0 && cell < count);
}

// The numbers of a map in the window of a cell. axes: {size, stride, dilation} of rows and of columns, and `before`, the
// padding at their beginning; read(row, column) gives a number.
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
  const end = () => {
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
    output: { over: unlessPlaying((cell) => put({ over: cell })), drag: (cell) => put({ over: cell }), set: pin, out, step },
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
