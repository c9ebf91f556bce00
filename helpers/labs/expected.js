// The curve that a student expects, drawn on the axes before a run: by a stroke, or with three knobs.

import { KEYS, make, putText } from "./canvas.js";
import { makeKnobs } from "./knobs.js";

const SLACK = 4; // pixels: how near a stroke must pass a knob to move it
const HALF = 0.5; // the initial height of knobs that the keyboard makes

// Knobs over the canvas of `stage`, and in `place` a line with buttons and words. `redraw()` draws the canvas. Returns
// `line()`, points for a chart; `lay(context, frame, longest)`, which puts the knobs where the axes are; and `show()`.
export function makeExpected(lab, stage, place, redraw) {
  let [values, shares] = [[], []];
  const knobs = makeKnobs(stage, change, lab.signal, SLACK);
  const said = make("p", { role: "status" });
  const button = (label, action) => {
    const made = make("button", { type: "button", ...KEYS }, label);
    made.addEventListener("click", action);
    return made;
  };
  const begin = button("Draw what you expect", () => {
    change(at().map(() => HALF));
    knobs.knobs()[0].focus();
  });
  const erase = button("Erase", () => {
    change([]);
    begin.focus();
  });
  place.append(make("div", { class: "lab-expected" }, begin, said, erase));

  const guess = () => lab.model.get("guess");
  const at = () => guess().at ?? [];
  const isRunning = () => ["waiting", "training"].includes(lab.model.get("going").phase);

  function change(now) {
    values = now;
    lab.move({ expected: values });
    update();
  }
  function showKnobs() {
    const names = at().map((epoch) => `expected accuracy after epoch ${epoch}`);
    const axis = { low: 0, high: 1, step: 0.01, say: (value) => value.toFixed(2) };
    knobs.show({ names, shares, values, locked: isRunning(), ...axis });
  }
  function update() {
    [begin.hidden, erase.hidden] = [values.length > 0, !values.length];
    for (const one of [begin, erase]) one.disabled = isRunning();
    said.textContent = values.length ? guess().said : "";
    redraw();
  }
  return {
    line: () => at().flatMap((epoch, i) => (i < values.length ? [[epoch, values[i]]] : [])),
    lay(context, { across, down }, longest) {
      const [left, right, top, bottom] = [across(0), across(longest), down(1), down(0)];
      const place = { left, width: right - left, top, height: bottom - top };
      for (const [name, pixels] of Object.entries(place)) knobs.surface.style[name] = `${pixels}px`;
      shares = at().map((epoch) => epoch / longest);
      showKnobs();
      const isEmpty = !values.length && !(lab.model.get("going").curves ?? []).length;
      const middle = [(left + right) / 2, (top + bottom) / 2];
      if (isEmpty) putText(context, "Draw here what you expect", ...middle, { align: "center", size: 12 });
    },
    show() {
      if (!lab.isMoving("expected")) values = guess().values ?? [];
      update();
    },
  };
}
