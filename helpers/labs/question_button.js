// What notes a guess: a button below the bars or the grid, pressed once the guess is made.

import { KEYS, make } from "./canvas.js";

// `isEmpty()` is true as long as there is nothing to note. Returns `show()`.
export function makeNote(model, place, isEmpty) {
  const button = make("button", { type: "button", ...KEYS }, "That is my guess");
  button.addEventListener("click", () => {
    if (model.get("disabled")) return;
    model.set("is_noted", true);
    model.save_changes();
  });
  place.append(button);
  return function show() {
    button.setAttribute("aria-pressed", model.get("is_noted"));
    button.setAttribute("aria-disabled", model.get("disabled")); // it keeps the focus
    button.disabled = isEmpty() && !model.get("disabled");
    // Once the guess is noted, Shift+Enter goes to the notebook.
    if (model.get("is_noted")) for (const name of Object.keys(KEYS)) button.removeAttribute(name);
  };
}

// Send what a hand has changed: a guess that was noted before no longer counts.
export function change(model, values) {
  if (model.get("disabled")) return;
  model.set({ ...values, is_noted: false });
  model.save_changes();
}
