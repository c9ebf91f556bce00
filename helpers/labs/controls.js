// The settings of a lab, drawn as Python's settings.py describes them: all work by keyboard, and all have names.

import { KEYS, make } from "./canvas.js";

const asWritten = (text) => String(text).replaceAll("-", "−");

const KINDS = {
  slider: (setting, moved) => range(setting, moved, String, { min: setting.min, max: setting.max, step: setting.step }),
  steps: (setting, moved) =>
    range(setting, moved, (at) => setting.options[at], { min: 0, max: setting.options.length - 1, step: 1 }),
  choice: (setting, moved) => {
    const options = setting.options.map((name, i) => make("option", { value: i }, name));
    const select = make("select", KEYS, ...options);
    select.addEventListener("change", () => moved(Number(select.value)));
    const show = (value) => (select.value = value);
    return { element: make("label", { class: "lab-choice" }, setting.description, select), hand: select, show };
  },
  switch: (setting, moved) => {
    const box = make("input", { type: "checkbox", ...KEYS });
    box.addEventListener("change", () => moved(box.checked));
    const show = (value) => (box.checked = value);
    return { element: make("label", { class: "lab-switch" }, box, setting.description), hand: box, show };
  },
  place: (setting, moved) => {
    const field = make("input", { type: "number", min: setting.min, max: setting.max, ...KEYS });
    const go = (to) => {
      const place = Math.min(Math.max(Math.round(to), setting.min), setting.max);
      const isNew = place !== now;
      show(place); // at once, so that three presses of a button go three times as far
      if (isNew) moved(place);
    };
    const typed = () => go(field.value === "" ? now : Number(field.value));
    field.addEventListener("change", typed);
    field.addEventListener("keydown", (event) => event.key === "Enter" && typed());
    const lead = (sign, words) => {
      const button = make("button", { type: "button", ...KEYS }, words);
      button.addEventListener("click", () => go(now + sign * setting.leap));
      return button;
    };
    const ways = [lead(-1, "previous"), lead(1, "next")];
    let now = 0;
    const show = (value) => {
      field.value = now = value;
      ways.forEach((way, i) => way.setAttribute("aria-disabled", now === [setting.min, setting.max][i]));
    };
    const label = make("label", {}, setting.description, field);
    return { element: make("div", { class: "lab-place" }, label, ...ways), hand: field, show };
  },
  button: (setting, moved) => {
    const button = make("button", { type: "button", name: setting.name, ...KEYS }, setting.description);
    button.addEventListener("click", () => moved());
    return { element: button, hand: button, show: () => {} };
  },
};

// A slider with its value as text beside it, also for screen readers.
function range(setting, moved, inWords, ends) {
  const input = make("input", { type: "range", ...ends, ...KEYS });
  const output = make("span", { class: "lab-value", "aria-hidden": "true" });
  const show = (value) => {
    input.value = value;
    output.textContent = asWritten(inWords(value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  let held = false; // by a hand that has not let go: news from Python would tear the slider away
  input.addEventListener("input", () => {
    show(Number(input.value));
    if (setting.patient) held = true;
    else moved(Number(input.value));
  });
  input.addEventListener("change", () => {
    if (held) moved(Number(input.value));
    held = false;
  });
  const label = make("span", {}, setting.description);
  // Else the output's number would be part of the name.
  input.setAttribute("aria-label", setting.description);
  const element = make("label", { class: "lab-slider" }, label, output, input);
  return { element, hand: input, show: (value) => held || show(value) };
}

// What makes a control a different one, rather than the same one with another value.
const shape = ({ value: _, disabled: __, ...rest }) => JSON.stringify(rest);

// Controls in `place`. `moved(setting, value)` is called by a hand; the returned `show(settings, inFlight)` brings them
// to what Python says, except those that a hand has just moved.
export function makeControls(place, moved) {
  let shown = new Map();
  return function show(settings, inFlight) {
    const same = settings.length === shown.size && settings.every((s) => shown.get(s.name)?.shape === shape(s));
    if (!same) {
      const focused = [...shown].find(([, control]) => control.hand === document.activeElement)?.[0];
      const old = shown;
      shown = new Map();
      for (const setting of settings) {
        const kept = old.get(setting.name);
        const isKept = kept?.shape === shape(setting);
        const control = isKept ? kept : KINDS[setting.kind](setting, (value) => moved(setting, value));
        shown.set(setting.name, { ...control, shape: shape(setting), group: setting.group });
      }
      place.replaceChildren(...inGroups([...shown.values()]));
      shown.get(focused)?.hand.focus();
    }
    for (const setting of settings) {
      const control = shown.get(setting.name);
      control.hand.disabled = setting.disabled;
      if (!(setting.name in inFlight)) control.show(setting.value);
    }
  };
}

// A button that copies the text of a field or of another element.
export function makeCopy(source, label) {
  const copy = make("button", { type: "button", "aria-label": label, ...KEYS }, "Copy");
  copy.addEventListener("click", async () => {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    // Without https there is no clipboard API: copy the selection in the old way.
    await (navigator.clipboard?.writeText(source.value ?? source.textContent) ?? document.execCommand("copy"));
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  return copy;
}

// Controls of one group share a frame with its name.
function inGroups(controls) {
  const parts = [];
  for (const { element, group } of controls) {
    if (!group) parts.push(element);
    else if (parts.at(-1)?.dataset?.group === group) parts.at(-1).append(element);
    else parts.push(make("fieldset", { class: "lab-group", "data-group": group }, make("legend", {}, group), element));
  }
  return parts;
}
