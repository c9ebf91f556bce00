// Small matrices whose numbers are shown as text, and can be typed.

import { KEYS, make } from "./canvas.js";
import { css, inkOn, written } from "./theme.js";

// A number with at most two decimals and, if there is room, three digits.
export function decimals(number) {
  return written(Math.round(number * 100) / 100 + 0);
}

// A matrix of numbers in coloured cells; without numbers if they are many. With `typed(row, column, number)` they can
// be typed. show({numbers, rows, columns, colour, text, chosen}); chosen: the place of the one that was taken.
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
      return typedCell(
        label,
        (number) => typed(Math.floor(i / columns), i % columns, number),
        () => show(last),
      );
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
    grid.classList.toggle("lab-fine", columns > 3);
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
    // As keyboards of all countries type it; half a number, such as "−" or "1e", does not count yet.
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

// The result of a window, and how it came about; show.seers says how many cells see a pixel instead.
export function makeSum(lab) {
  const total = make("span", { class: "lab-total" });
  const how = make("span");
  lab.place.append(make("div", { class: "lab-sum" }, total, how));
  const show = (words, result) => {
    total.textContent = result;
    how.textContent = words;
  };
  show.seers = (count, name, [row, column]) => {
    const see = count === 1 ? `1 cell of the ${name} sees` : `${count} cells of the ${name} see`;
    how.textContent = `${see} the pixel in row ${row}, column ${column}.`;
    lab.say(how.textContent);
  };
  return show;
}
