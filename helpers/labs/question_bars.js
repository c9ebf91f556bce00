// Bars to guess numbers with; once the answer is open, a line across each shows the measured number.

import { make } from "./canvas.js";
import { makeKnobs } from "./knobs.js";
import { whenChanged } from "./part.js";
import { change, makeNote } from "./question_button.js";

const STEPS = 100; // from one end of the axis to the other

export function makeBars(model, place, signal) {
  const [names, [low, high]] = [model.get("names"), model.get("span")];
  const step = (high - low) / STEPS;
  const share = (value) => Math.min(Math.max((value - low) / (high - low), 0), 1);
  const written = (value) => value.toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0);
  const shares = names.map((_, i) => (i + 0.5) / names.length);
  const ticks = [high, (low + high) / 2, low].map((tick) => make("span", {}, String(Number(tick.toFixed(6)))));
  const fills = names.map(() => make("div", { class: "lab-guess-bar" }));
  const lines = names.map(() => make("div", { class: "lab-measured" }));
  const numbers = names.map(() => make("span", {}));
  const below = names.map((name, i) => make("div", {}, make("b", {}, name), numbers[i]));
  const axes = make("div", { class: "lab-bars-axes" }, ...fills, ...lines);
  const frame = make("div", { class: "lab-guess-bars" }, make("div", { class: "lab-bars-ticks" }, ...ticks), axes);
  frame.append(make("div", { class: "lab-bars-names" }, ...below));
  place.append(frame);
  const knobs = makeKnobs(axes, (values) => change(model, { values }), signal);
  const showNote = makeNote(model, place, () => model.get("values").every((value) => value === low));

  function update() {
    const [values, right, locked] = ["values", "right", "disabled"].map((name) => model.get(name));
    knobs.show({ names, shares, values, low, high, step, say: written, locked });
    for (const [i, name] of names.entries()) {
      const wide = { left: `${(100 * (i + 0.2)) / names.length}%`, width: `${60 / names.length}%` };
      Object.assign(fills[i].style, { ...wide, height: `${100 * share(values[i])}%` });
      lines[i].hidden = right.length === 0;
      if (right.length) Object.assign(lines[i].style, { ...wide, bottom: `${100 * share(right[i])}%` });
      numbers[i].textContent = written(values[i]) + (right.length ? `, measured ${written(right[i])}` : "");
    }
    showNote();
  }
  whenChanged(model, update, signal);
}
