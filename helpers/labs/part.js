// A part of a lab, such as its pad: a widget whose picture is made by `makePart(model, place, signal)`.

import { make } from "./canvas.js";
import { hearAgain } from "./hearing.js";

// The module of a part that is a widget of its own.
export const alone = (makePart) => ({
  render({ model, el, signal }) {
    const place = make("div", { class: "lab lab-part" });
    el.append(place);
    makePart(model, place, signal);
  },
});

// Show in `place` the part that a lab in the browser has as its trait `name`; returns its model.
export async function host(lab, name, makePart, place) {
  const model = await lab.model.widget_manager.get_model(lab.model.get(name).replace("IPY_MODEL_", ""));
  await hearAgain(model);
  if (!lab.signal.aborted) makePart(model, place, lab.signal);
  return model;
}

// Call `action` whenever Python, or a hand in another view, has changed the part.
export function whenChanged(model, action, signal) {
  model.on("change", action);
  signal.addEventListener("abort", () => model.off("change", action));
  action();
}

// A list to choose one of `names`.
export function makeList(label, names, chosen, keys) {
  const select = make("select", keys, ...names.map((name) => make("option", { value: name }, name)));
  select.addEventListener("change", () => chosen(select.value));
  return { element: make("label", {}, `${label} `, select), show: (name) => (select.value = name) };
}
