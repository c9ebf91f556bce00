// How far a run is: a progress bar, and buttons that respond at once, even while the kernel is busy with a cell.

import { make } from "./canvas.js";

const WAITS = "waits for the running cell";

// A bar and a line in `place`. `starts` are the names of the buttons that begin a run: pressing one again before Python
// has answered does not begin a second run. Returns `show(going)`.
export function makeGoing(lab, place, starts) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": "progress of the run" });
  const words = make("span", { class: "lab-going-words" });
  lab.root.classList.add("lab-lines");
  place.append(make("div", { class: "lab-going" }, bar, words));
  let waiting = null; // {name, nth}: the press that Python has not answered yet
  let timer = 0;
  let last = -Infinity; // when a run was asked for
  const button = (name) => lab.root.querySelector(`.lab-controls [name="${name}"]`);
  const free = () => {
    clearTimeout(timer);
    if (waiting) button(waiting.name)?.removeAttribute("aria-busy");
    waiting = null;
    words.textContent = "";
  };
  const pressed = (name, nth) => {
    waiting = { name, nth };
    button(name).setAttribute("aria-busy", "true");
    words.textContent = `${name} …`;
    timer = setTimeout(() => {
      words.textContent = `${name} ${WAITS}`;
      lab.say(words.textContent);
    }, 200);
  };
  for (const name of starts) {
    lab.press[name] = (message) => {
      if (waiting || performance.now() - last < 400) return; // a double click is one press
      last = performance.now();
      const nth = (lab.model.get("going").presses ?? 0) + 1;
      pressed(name, nth);
      lab.post({ ...message, nth });
    };
  }
  lab.press.Stop = (message) => {
    if (waiting) return;
    pressed("Stop", 0);
    lab.post(message);
  };
  lab.signal.addEventListener("abort", () => clearTimeout(timer));
  return function show(going) {
    const isRunning = ["waiting", "training"].includes(going.phase);
    if (waiting && (waiting.nth ? going.presses >= waiting.nth : !isRunning)) free();
    bar.value = going.share ?? 0;
    lab.root.classList.toggle("lab-refused", Boolean(going.refused));
    lab.root.dataset.phase = going.phase;
  };
}
