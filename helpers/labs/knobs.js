// Knobs on a surface that a mouse, a finger, a pen or the arrow keys move up and down: numbers that a hand guesses.

import { KEYS, make } from "./canvas.js";

const SMALL = 1; // pixels from one point of a stroke to the next that counts
const LEAP = 5; // steps of a knob that Page Up goes

// A surface in `place` with knobs side by side. `changed(values)` is called when a hand has moved them. slack: how many
// pixels a stroke may leave a knob and still move it; without, the nearest always follows. Returns the surface, its
// `knobs()` and `values()`, and `show({names, shares, values, low, high, step, say, locked})`, where say(value)
// is what a screen reader says, and shares are the places of the knobs, 0 to 1, in the width; no values: no knobs.
export function makeKnobs(place, changed, signal, slack = Infinity) {
  const surface = make("div", { class: "lab-knobs" });
  place.append(surface);
  let now = { values: [], shares: [] };
  let [knobs, stroke] = [[], null]; // the stroke under a hand: {pointer, only, near, x, y}

  const cut = (value) => {
    const { low, high, step } = now;
    return Number((Math.round(Math.min(Math.max(value, low), high) / step) * step).toFixed(6));
  };
  function put(values) {
    now = { ...now, values };
    for (const [i, knob] of knobs.entries()) {
      const share = (values[i] - now.low) / (now.high - now.low);
      Object.assign(knob.style, { left: `${100 * now.shares[i]}%`, bottom: `${100 * share}%` });
      knob.setAttribute("aria-valuenow", values[i]);
      knob.setAttribute("aria-valuetext", now.say(values[i]));
    }
  }
  const tell = (values) => {
    put(values);
    changed(values);
  };
  const set = (i, value) => tell(now.values.map((old, j) => (i === j ? cut(value) : old)));

  function makeKnob(name, i) {
    const { low, high } = now;
    const role = { role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-label": name, ...KEYS };
    const knob = make("div", { class: "lab-knob", ...role, "aria-valuemin": low, "aria-valuemax": high });
    knob.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: LEAP, PageDown: -LEAP };
      const by = steps[event.key];
      const to = by ? now.values[i] + by * now.step : { Home: now.low, End: now.high }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (!now.locked) set(i, to);
    });
    surface.append(knob);
    return knob;
  }

  // One point of a stroke: the knob under the hand, or the nearest, takes its height.
  function touch(x, y) {
    const { left, bottom, width, height } = surface.getBoundingClientRect();
    const value = cut(now.low + ((bottom - y) / height) * (now.high - now.low));
    const away = now.shares.map((share) => Math.abs(left + share * width - x));
    const i = stroke.only ?? away.indexOf(Math.min(...away));
    if (stroke.only === null) {
      if (away[i] > (stroke.near[i] ?? Infinity) + slack) return;
      stroke.near[i] = Math.min(stroke.near[i] ?? Infinity, away[i]);
    }
    const begun = now.values.length ? now.values : now.shares.map(() => value);
    now = { ...now, values: begun.map((old, j) => (i === j ? value : old)) };
  }
  function goOn(event) {
    const [dx, dy] = [event.clientX - stroke.x, event.clientY - stroke.y];
    const points = Math.max(Math.ceil(Math.hypot(dx, dy) / SMALL), 1);
    for (let k = 1; k <= points; k++) touch(stroke.x + (k / points) * dx, stroke.y + (k / points) * dy);
    Object.assign(stroke, { x: event.clientX, y: event.clientY });
    tell(now.values);
  }
  const listen = (kind, action) => surface.addEventListener(kind, action, { signal });
  listen("pointerdown", (event) => {
    if (stroke || now.locked || event.button !== 0) return;
    event.preventDefault(); // so that no text gets selected
    const knob = knobs.indexOf(event.target);
    surface.setPointerCapture(event.pointerId);
    const only = knob < 0 || slack === Infinity ? null : knob;
    stroke = { pointer: event.pointerId, only, near: [], x: event.clientX, y: event.clientY };
    knobs[knob]?.focus();
    if (only === null) goOn(event);
  });
  listen("pointermove", (event) => event.pointerId === stroke?.pointer && goOn(event));
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
    listen(kind, (event) => event.pointerId === stroke?.pointer && (stroke = null));

  return {
    surface,
    knobs: () => knobs,
    values: () => now.values,
    show(next) {
      if (stroke) next = { ...next, values: now.values }; // the hand's values are newer than Python's
      const same = next.names.join() === (now.names ?? []).join() && next.values.length === knobs.length;
      now = next;
      surface.classList.toggle("lab-locked", Boolean(next.locked));
      if (!same) {
        for (const knob of knobs) knob.remove();
        knobs = next.values.map((_, i) => makeKnob(next.names[i], i));
      }
      for (const knob of knobs) knob.setAttribute("aria-disabled", Boolean(next.locked));
      put(next.values);
    },
  };
}
