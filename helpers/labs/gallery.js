// Images side by side, each a button, as large as there is room for; a pixel under the pointer says its number.

import { KEYS, bytePicture, make } from "./canvas.js";

const [GALLERY_HIGH, BAR_HIGH, WORDS_HIGH] = [470, 220, 44]; // pixels of all rows; of the tallest bar; of words
const [MOST_COLUMNS, LOW_BAR] = [16, 60]; // more classes stand in several rows, with lower bars

// Columns, and the side of an image: as large as there is room for, and a whole number of dots a pixel if it can be.
function gallerySize(count, width, pixels, extra, most, high) {
  for (let columns = 1; ; columns++) {
    const slot = Math.min(width / columns - 4, 224);
    const side = slot >= pixels ? Math.floor(slot / pixels) * pixels : Math.floor(slot);
    const fits = Math.ceil(count / columns) * (side + extra) <= high;
    if (fits || columns >= Math.min(count, most)) return [columns, side];
  }
}

// Returns show(items, {data, shape}, what); items: {name, above, share, chosen}, with `share` for a bar above it; what:
// what a click does, in words. clicked(i) is called for a click on item i; high: pixels that all rows may take.
export function makeGallery(place, lab, clicked, high = GALLERY_HIGH) {
  const grid = make("div", { class: "lab-gallery" });
  const note = make("p", { class: "lab-note" });
  place.append(grid, note);
  let [shown, images, width] = [[], null, 0];

  const barHigh = () => (shown.length > MOST_COLUMNS ? LOW_BAR : BAR_HIGH);
  const fit = () => {
    if (!width || !images) return;
    const hasBars = grid.classList.contains("lab-bars");
    const extra = WORDS_HIGH + (hasBars ? barHigh() : 0);
    const [columns, side] = gallerySize(
      images.shape[0],
      width,
      images.shape[3],
      extra,
      hasBars ? MOST_COLUMNS : 99,
      high,
    );
    grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    grid.style.setProperty("--side", `${side}px`);
  };
  const watch = new ResizeObserver(() => {
    width = place.clientWidth;
    fit();
  });
  watch.observe(place);
  lab.signal.addEventListener("abort", () => watch.disconnect());

  function makeItem(i) {
    const [above, canvas, name] = [make("span"), make("canvas"), make("span")];
    const bar = make("span", { class: "lab-bar-up" });
    const button = make("button", { type: "button", ...KEYS }, above, bar, canvas, name);
    button.addEventListener("click", () => clicked(i));
    button.addEventListener("pointermove", ({ clientX, clientY }) => say(i, canvas, clientX, clientY));
    button.addEventListener("pointerleave", () => (note.textContent = ""));
    return { button, above, canvas, name, bar };
  }

  function say(i, canvas, x, y) {
    const [, channels, rows, columns] = images.shape;
    const box = canvas.getBoundingClientRect();
    const row = Math.floor(((y - box.top) / box.height) * rows);
    const column = Math.floor(((x - box.left) / box.width) * columns);
    const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
    const first = i * channels * rows * columns + row * columns + column;
    const numbers = Array.from({ length: channels }, (_, channel) => images.data[first + channel * rows * columns]);
    const { above, name } = shown[i];
    const what = `${name.textContent}, row ${row}, column ${column}: ${numbers.join(", ")}`;
    note.textContent = isInside ? (grid.classList.contains("lab-bars") ? what : `${above.textContent} ${what}`) : "";
  }

  return function show(items, { data, shape }, what) {
    images = { data, shape };
    const [, channels, rows, columns] = shape;
    if (shown.length !== items.length) {
      shown = items.map((_, i) => makeItem(i));
      grid.replaceChildren(...shown.map(({ button }) => button));
    }
    const hasBars = items[0].share !== undefined;
    grid.classList.toggle("lab-bars", hasBars);
    items.forEach(({ name, above, share, chosen }, i) => {
      const part = shown[i];
      part.name.textContent = name;
      part.above.textContent = above;
      part.bar.hidden = !hasBars;
      if (hasBars) part.bar.style.height = `${barHigh() * share}px`;
      if (hasBars) part.button.setAttribute("aria-pressed", chosen);
      else part.button.removeAttribute("aria-pressed");
      part.button.setAttribute("aria-label", hasBars ? `${name}: ${above} images` : `${above} ${name}`);
      part.button.title = what;
      [part.canvas.width, part.canvas.height] = [columns, rows];
      const picture = bytePicture(data, [channels, rows, columns], i * channels * rows * columns);
      part.canvas.getContext("2d").drawImage(picture, 0, 0);
    });
    note.textContent = "";
    fit();
  };
}
