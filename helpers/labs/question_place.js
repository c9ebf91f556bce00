// A grid of pixels to mark; once the answer is open, it shows which were right, missed and wrong.

import { KEYS, make } from "./canvas.js";
import { whenChanged } from "./part.js";
import { change, makeNote } from "./question_button.js";

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const STATES = { right: "right", missed: "missed", wrong: "not part of it" };

export function makePlace(model, place, signal) {
  const [rows, columns] = [model.get("rows"), model.get("columns")];
  const grid = make("div", { class: "lab-place-grid", role: "grid", "aria-label": "pixels to mark", ...KEYS });
  grid.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  const cells = Array.from({ length: rows }, (_, i) => {
    const line = Array.from({ length: columns }, (_, j) => make("div", { role: "gridcell", "data-at": `${i},${j}` }));
    grid.append(make("div", { role: "row" }, ...line));
    return line;
  });
  const key = make("p", { class: "lab-place-key" });
  place.append(make("div", { class: "lab-place-frame" }, grid, key));
  const showNote = makeNote(model, place, () => !model.get("marked").length);
  let at = [0, 0]; // the cell of the keyboard
  let sweep = null; // what a hand or Shift and the arrows span: {from, before, add}

  const code = ([i, j]) => `${i},${j}`;
  const marked = () => new Map(model.get("marked").map((cell) => [code(cell), cell]));
  const begin = (cell) => (sweep = { from: cell, before: marked(), add: !marked().has(code(cell)) });
  // Mark, or free, all cells between where the sweep began and here.
  function go([i, j]) {
    const [[top, bottom], [left, right]] = [
      [sweep.from[0], i],
      [sweep.from[1], j],
    ].map((ends) => ends.sort((a, b) => a - b));
    const now = new Map(sweep.before);
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++)
        if (sweep.add) now.set(code([row, column]), [row, column]);
        else now.delete(code([row, column]));
    change(model, { marked: [...now.values()] });
  }
  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-at]");
  const placeOf = (cell) => cell.dataset.at.split(",").map(Number);

  const listen = (kind, action) => grid.addEventListener(kind, action, { signal });
  listen("pointerdown", (event) => {
    const cell = under(event);
    if (!cell || event.button !== 0 || model.get("disabled")) return;
    event.preventDefault(); // so that no text gets selected
    grid.setPointerCapture(event.pointerId);
    at = placeOf(cell);
    begin(at);
    go(at);
    cell.focus({ preventScroll: true });
  });
  listen("pointermove", (event) => {
    const cell = under(event);
    if (!sweep || !grid.hasPointerCapture(event.pointerId) || !cell || !grid.contains(cell)) return;
    if (cell.dataset.at === code(at)) return;
    at = placeOf(cell);
    go(at);
  });
  for (const kind of ["pointerup", "pointercancel"]) listen(kind, () => (sweep = null));
  listen("keydown", (event) => {
    const step = ARROWS[event.key];
    if (step) {
      event.preventDefault();
      if (event.shiftKey && !sweep) begin(at);
      if (!event.shiftKey) sweep = null;
      at = [Math.min(Math.max(at[0] + step[0], 0), rows - 1), Math.min(Math.max(at[1] + step[1], 0), columns - 1)];
      if (event.shiftKey) go(at);
      update();
      cells[at[0]][at[1]].focus();
    } else if (event.key === " ") {
      event.preventDefault();
      begin(at);
      go(at);
      sweep = null;
    }
  });
  listen("keyup", (event) => event.key === "Shift" && (sweep = null));

  function update() {
    const [mine, right] = [marked(), new Set(model.get("right").map(code))];
    for (const [i, line] of cells.entries())
      for (const [j, cell] of line.entries()) {
        const [isMine, isRight] = [mine.has(code([i, j])), right.has(code([i, j]))];
        const state = !right.size ? "" : isRight ? (isMine ? "right" : "missed") : isMine ? "wrong" : "";
        const name = `row ${i}, column ${j}${isMine ? ", marked" : ""}${state ? `, ${STATES[state]}` : ""}`;
        cell.className = [isMine ? "lab-marked" : "", state && `lab-${state}`].join(" ");
        cell.setAttribute("aria-label", name);
        cell.setAttribute("aria-selected", isMine);
        cell.setAttribute("tabindex", code([i, j]) === code(at) ? 0 : -1);
      }
    const is = (state) => grid.querySelector(`.lab-${state}`);
    const words = Object.entries(STATES).filter(([state]) => is(state));
    const sample = (state) => make("span", { class: `lab-${state} ${state === "missed" ? "" : "lab-marked"}` });
    key.replaceChildren(...words.flatMap(([state, word]) => [sample(state), word]));
    showNote();
  }
  whenChanged(model, update, signal);
}
