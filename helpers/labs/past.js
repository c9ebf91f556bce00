// Looking back: a slider over the moments of a run that were kept, and what its network was like then.

import { KEYS, bytePicture, make, makeCanvas, mapPicture, play, putPicture, putText } from "./canvas.js";
import { fitted, wrapped } from "./curves.js";
import { makePad } from "./pad.js";
import { host } from "./part.js";
import { signed, written } from "./theme.js";

const FILM = 5000; // milliseconds
const HEAD = 20; // pixels for headings, and for the line below a run
const LINE = 15; // and for each further line there
const MOST_FILTERS = 16;
const MANY = [33, 102, 172]; // the colour of a class that is always taken for one

const momentText = ([step, epoch]) => `epoch ${written(epoch)}, step ${step}`;

// The panel of the past in `place`; `pinned()` is called when the moment that is shown has changed. Returns show(past),
// with what Python says can be chosen, pin(): the epoch of the moment that is shown, or null, isOpen() and isTall().
export function makePast(lab, place, pinned) {
  const film = make("button", { type: "button", ...KEYS }, "▶ Play");
  const slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "moment", ...KEYS });
  const now = make("output", { class: "lab-value", "aria-hidden": "true" });
  const image = make("input", { type: "number", min: 0, max: 999, ...KEYS });
  const own = make("input", { type: "checkbox", ...KEYS });
  const beside = make("select", KEYS);
  const none = make("p", {}, "Press Train first. Then you can look back: how were the filters at the beginning?");
  const first = make("div", {}, film, make("label", {}, "moment ", slider), now);
  const labelled = [
    ["image ", image],
    ["", own, " my own drawing"],
    ["compare with ", beside],
  ];
  const second = make("div", {}, ...labelled.map((parts) => make("label", {}, ...parts)));
  const [pad, picture] = [make("div", { hidden: true }), make("div", { class: "lab-past-picture" })];
  const frame = make("div", { class: "lab-past" }, first, second, make("div", {}, pad, picture));
  place.append(none, frame);
  host(lab, "pad", makePad, pad);
  let [past, chosen, at, asked, moved] = [{ moments: [], others: [] }, "", 0, false, false];
  const shown = () => lab.facts().look?.shown ?? [];
  // Not by its size: while JupyterLab changes its theme, nothing has one.
  const isOpen = () => !place.hidden && past.moments.length > 0;
  const side = () => (shown().length > 1 ? 72 : 104); // of the image, and of what one run shows
  const linesOf = ({ name, step, words }, i, width) =>
    wrapped(canvas.getContext("2d"), `${name}${i ? `, step ${step}` : ""}: ${words.join("; ")}`, width, 13);
  const highOf = (lines) => side() + HEAD + LINE * (lines.length - 1); // of one run
  const heightOf = (width) =>
    HEAD + (shown().length ? shown().reduce((high, run, i) => high + highOf(linesOf(run, i, width)), 0) : highOf([""]));
  const { canvas, redraw } = makeCanvas(picture, heightOf, draw, lab.signal, {
    role: "img",
    "aria-label": "no picture yet",
  });
  const watch = new ResizeObserver(pinned); // the panel has been opened, or closed
  watch.observe(place);
  lab.signal.addEventListener("abort", () => watch.disconnect());

  function go(to) {
    at = Math.min(Math.max(to, 0), past.moments.length - 1);
    moved = true;
    lab.move({ moment: past.moments[at][0] });
    put();
  }
  function put() {
    const moment = past.moments[at];
    slider.max = past.moments.length - 1;
    slider.value = at;
    now.textContent = moment ? momentText(moment) : "";
    slider.setAttribute("aria-valuetext", now.textContent);
    pinned();
  }
  let stop = null;
  const end = () => {
    stop?.();
    stop = null;
    film.textContent = "▶ Play";
  };
  film.addEventListener("click", () => {
    if (stop) return end();
    const last = past.moments.length - 1;
    if (at === last) go(0);
    film.textContent = "❚❚ Pause";
    const step = () => {
      if (at < past.moments.length - 1) go(at + 1);
      return at < past.moments.length - 1 || void end();
    };
    stop = play(step, FILM / Math.max(last, 1), lab.signal);
    if (!stop) end(); // less motion: it is at its end already
  });
  slider.addEventListener("input", () => {
    end();
    go(Number(slider.value));
  });
  image.addEventListener("change", () => lab.move({ image: Math.round(Number(image.value)) }));
  own.addEventListener("change", () => lab.move({ own: own.checked }));
  beside.addEventListener("change", () => lab.move({ beside: beside.value === "" ? null : Number(beside.value) }));

  function draw(context, width) {
    if (!asked) lab.move({ looking: (asked = true) }); // the panel is visible for the first time
    if (!shown().length || !lab.array("filters0")) return;
    const look = lab.facts().look;
    const [left, right, small] = [side() + 18, width - side(), { size: 12 }];
    const { shape } = lab.array("look");
    putText(context, fitted(context, look.truth, side() + 12, 12), 0, 8, small);
    const { filters } = look.shown[0];
    const number = filters > MOST_FILTERS ? `${MOST_FILTERS} of ${filters} filters` : "filters";
    const titles = [`${number} of the first layer, and what each makes of the image`, `${number}, and their maps`];
    const fits = titles.find((title) => fitted(context, title, right - left - 12, 12) === title);
    putText(context, fits ?? fitted(context, titles[1], right - left - 12, 12), left, 8, small);
    putText(context, "confusion", right, 8, small);
    putPicture(context, bytePicture(lab.array("look").data, shape), 0, HEAD, side(), side());
    let top = HEAD;
    for (const [i, run] of look.shown.entries()) {
      putLayer(context, i, left, top, right - left - 18);
      const confusion = lab.array(`confusion${i}`);
      const picture = mapPicture(confusion.data, ...confusion.shape, (share) =>
        MANY.map((part) => 255 + (part - 255) * share),
      );
      putPicture(context, picture, right, top, side(), side());
      const lines = linesOf(run, i, width);
      if (i) putAgreement(context, look, top);
      lines.forEach((line, k) => putText(context, line, 0, top + side() + 9 + LINE * k));
      top += highOf(lines);
    }
    canvas.setAttribute("aria-label", thenInWords(look));
  }
  function putAgreement(context, { agree, count }, top) {
    const words = ["they agree", `on ${agree} of`, `${count} images`];
    words.forEach((text, i) => putText(context, text, 0, top + 16 * (i + 1) - 4, { weight: "bold", size: 12 }));
  }
  function putLayer(context, i, left, top, width) {
    const rows = ["filters", "maps"].map((name) => lab.array(`${name}${i}`));
    const count = rows[0].shape[0];
    const cell = Math.min(side() / 2 + 2, width / count);
    rows.forEach(({ data, shape: [, high, wide] }, row) => {
      const strongest = data.reduce((most, number) => Math.max(most, Math.abs(number) || 0), 0);
      for (let k = 0; k < count; k++) {
        const part = data.subarray(k * high * wide, (k + 1) * high * wide);
        const drawn = mapPicture(part, high, wide, (number) => signed(number, strongest));
        putPicture(context, drawn, left + k * cell, top + (row * side()) / 2, cell - 4, cell - 4);
      }
    });
  }

  return {
    isOpen,
    isTall: () => isOpen() && (shown().length > 1 || own.checked),
    pin: () => (isOpen() ? past.moments[at][1] : null),
    show(next) {
      past = next;
      const { step: seen, image: number, own: isOwn = false, beside: other = "" } = lab.facts().look ?? {};
      none.hidden = past.moments.length > 0;
      frame.hidden = !past.moments.length;
      at = Math.min(at, Math.max(past.moments.length - 1, 0));
      const found = past.moments.findIndex(([step]) => step === seen);
      if (found >= 0 && !lab.isMoving("moment")) at = found;
      if (number !== undefined && document.activeElement !== image) image.value = number;
      if (!lab.isMoving("own")) own.checked = isOwn;
      pad.hidden = !own.checked;
      const runs = JSON.stringify(past.others);
      if (runs !== chosen) {
        chosen = runs;
        const options = past.others.map(([value, name]) => make("option", { value }, name));
        beside.replaceChildren(make("option", { value: "" }, "no other run"), ...options);
      }
      if (!lab.isMoving("beside")) beside.value = other;
      put();
      redraw();
      if (moved && !lab.isMoving("moment") && shown().length) {
        moved = false;
        lab.say(thenInWords(lab.facts().look));
      }
    },
  };
}

function thenInWords({ shown, agree, count, truth }) {
  const runs = shown.map(
    ({ name, step, words: [says, right] }) => `${name}, step ${step}: the image, ${truth}, is called ${says}; ${right}`,
  );
  return [...runs, ...(agree === undefined ? [] : [`They agree on ${agree} of ${count} images`])].join(". ");
}
