// The explorer: images of a data set, the numbers of one, its classes, and the way of a photograph to 28×28.

import { KEYS, bytePicture, make, makeCanvas, putMarker, putPicture } from "./canvas.js";
import { makeGallery } from "./gallery.js";
import { living } from "./lab.js";
import { host } from "./part.js";
import { grey } from "./theme.js";
import { makeUpload } from "./upload.js";
import { makeMap } from "./window.js";

const greyByte = (number) => grey(number, 0, 255);

// The numbers of one image, each on its own grey, and beside them the image itself. Returns `show()`.
function makeNumbers(place, lab, back) {
  const [title, known, button] = [make("b"), make("ul"), make("button", { type: "button", ...KEYS }, "← all images")];
  const [where, number, small] = [make("span"), make("strong"), make("div")];
  const read = make("div", { class: "lab-change" }, number, where);
  place.append(make("div", { class: "lab-about" }, small, make("div", {}, title, known), read, button));
  let [pinned, over] = [[0, 0], null];
  const at = ([row, column]) => lab.array("image").data[row * lab.array("image").shape[2] + column];
  const look = (cell) => {
    over = cell;
    mark();
  };
  const pin = (cell) => {
    pinned = cell;
    look(null);
  };
  const step = (by) => pin(pinned.map((p, i) => Math.min(Math.max(p + by[i], 0), lab.array("image").shape[i + 1] - 1)));
  const map = makeMap(place, lab, "pixel", { over: look, drag: look, set: pin, out: () => look(null), step }, at);
  const draw = (context, width) => {
    if (!lab.array("image")) return; // of another view
    const { data, shape } = lab.array("image");
    putPicture(context, bytePicture(data, shape), 0, 0, width, (width * shape[1]) / shape[2]);
    const [row, column] = over ?? pinned;
    const cell = width / shape[2];
    putMarker(context, column * cell, row * cell, cell, cell, true);
  };
  const { redraw } = makeCanvas(small, (width) => width, draw, lab.signal, { "aria-hidden": "true" });
  button.addEventListener("click", back);

  function mark() {
    if (!lab.array("image")) return;
    const [row, column] = over ?? pinned;
    map.mark([{ row, column }], [row, column]);
    where.textContent = `row ${row}, column ${column}`;
    number.textContent = at([row, column]);
    redraw();
  }
  return function show() {
    const {
      data,
      shape: [, rows, columns],
    } = lab.array("image");
    const numbers = data.subarray(0, rows * columns);
    const picture = bytePicture(numbers, [1, rows, columns]);
    map.show({ picture, numbers, rows, columns, colour: greyByte, least: 16, flat: 0.7, title: "" });
    pinned = pinned.map((place, i) => Math.min(place, [rows, columns][i] - 1));
    title.textContent = lab.facts().title;
    known.replaceChildren(...lab.facts().known.map((line) => make("li", {}, line)));
    mark();
  };
}

// The steps from a photograph to an image as in the data set. Returns `show()`.
function makeSteps(place, lab) {
  const upload = make("div");
  const steps = make("div", { class: "lab-steps" });
  place.append(upload, steps);
  host(lab, "upload", makeUpload, upload);
  const figures = Array.from({ length: 5 }, (_, i) => {
    const [title, picture] = [make("figcaption"), i < 4 ? make("img", { alt: "" }) : make("div")];
    steps.append(make("figure", {}, title, picture));
    return { title, picture };
  });
  const draw = (context, width) => {
    if (!lab.array("image")) return; // of another view
    const { data, shape } = lab.array("image");
    putPicture(context, bytePicture(data, shape), 0, 0, width, width);
  };
  const last = makeCanvas(figures[4].picture, (width) => width, draw, lab.signal, { role: "img" });
  return function show() {
    const { titles } = lab.facts();
    figures.forEach(({ title, picture }, i) => {
      title.textContent = titles[i];
      if (i === 4) return;
      URL.revokeObjectURL(picture.src);
      picture.alt = titles[i];
      picture.src = URL.createObjectURL(new Blob([lab.array(`step${i}`).data], { type: "image/jpeg" }));
    });
    last.canvas.setAttribute("aria-label", titles[4]);
    last.redraw();
  };
}

export default living((lab) => {
  const [first, numbers, photo] = ["lab-images", "lab-explorer-numbers", "lab-photo-steps"].map((name) =>
    make("div", { class: name, hidden: true }),
  );
  lab.place.classList.add("lab-explorer");
  lab.place.append(first, numbers, photo);
  const number = (setting, name) =>
    lab.model
      .get("settings")
      .find((s) => s.name === setting)
      .options.indexOf(name);
  let next = null; // where the focus goes when the view that was asked for is there
  const go = (view, values, focus) => {
    next = focus;
    lab.move({ view: number("view", view), ...values });
  };
  const gallery = makeGallery(first, lab, (i) => {
    const { view, place, chosen } = lab.facts();
    if (view === "images") go("numbers", { place: place + i }, () => numbers.querySelector("canvas[role=slider]"));
    else lab.move({ class_name: chosen === i ? 0 : i + 1 });
  });
  const showNumbers = makeNumbers(numbers, lab, () => go("images", {}, () => first.querySelector("button")));
  const showSteps = makeSteps(photo, lab);

  return function draw() {
    const { view, places, names, counts, chosen } = lab.facts();
    if (!view) return;
    const isGrid = ["images", "counts and means"].includes(view);
    first.hidden = !isGrid;
    numbers.hidden = view !== "numbers";
    photo.hidden = view !== "own photo";
    if (view === "numbers") showNumbers();
    if (view === "own photo") showSteps();
    if (isGrid) {
      const most = Math.max(...(counts ?? []));
      const items = names.map((name, i) =>
        places
          ? { name, above: `#${places[i]}` }
          : { name, above: counts[i].toLocaleString("en"), share: counts[i] / most, chosen: i === chosen },
      );
      gallery(items, lab.array("images"), places ? "show its numbers" : "mark the class");
    }
    next?.()?.focus({ preventScroll: true });
    next = null;
  };
});
