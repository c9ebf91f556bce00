// What notes a guess: a button below the bars or the grid, pressed once the guess is made.

import { KEYS, make } from "./canvas.js";

// `isEmpty()` is true as long as there is nothing to note. Returns `show()`.
export function makeNote(model, place, isEmpty) {
  const button = make("button", { type: "button", ...KEYS }, "That is my guess");
  button.addEventListener("click", () => {
    model.set("is_noted", true);
    model.save_changes();
  });
  place.append(button);
  return function show() {
    button.setAttribute("aria-pressed", model.get("is_noted"));
    button.disabled = model.get("disabled") || isEmpty();
  };
}

// Send what a hand has changed: a guess that was noted before is noted no more.
export function change(model, values) {
  if (model.get("disabled")) return;
  model.set({ ...values, is_noted: false });
  model.save_changes();
}
