// A pad to draw on: a pen, a finger or the mouse leaves ink at once, even while the kernel is busy.

import { KEYS, make, makeCanvas } from "./canvas.js";
import { makeList, whenChanged } from "./part.js";

const PAUSE = 200; // milliseconds from one message about a stroke to the next
const NEAR = 2; // pixels of the pad: the smallest distance between two points of a stroke

export function makePad(model, place, signal) {
  const [side, pen, examples] = ["side", "pen", "examples"].map((name) => model.get(name));
  const frame = make("div", { class: "lab-pad" });
  const hands = make("div", { class: "lab-pad-hands" });
  place.append(frame, hands);
  const past = []; // what was on the pad before each change of this view
  let stroke = null; // the one under the hand: {pointer, before, points}
  let due = 0;

  // A copy of the points: otherwise the model would not notice that the ink has grown.
  const strokes = () => (stroke ? [...stroke.before, [...stroke.points]] : model.get("ink").strokes);
  const { canvas, redraw } = makeCanvas(frame, (width) => width, draw, signal, { role: "img" });

  function draw(context, width) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, width);
    context.scale(width / side, width / side);
    Object.assign(context, { strokeStyle: "#fff", lineWidth: pen, lineCap: "round", lineJoin: "round" });
    for (const [start, ...points] of strokes()) {
      context.beginPath();
      context.moveTo(...start);
      for (const point of points.length ? points : [start]) context.lineTo(...point);
      context.stroke();
    }
  }

  function put(ink) {
    clearTimeout(due);
    due = 0;
    model.set("ink", ink);
    model.save_changes(); // waits for the answer to the one before, and then sends only the latest
  }
  const tell = () => put({ example: "none", strokes: strokes() });
  signal.addEventListener("abort", () => clearTimeout(due));

  function change(ink) {
    past.push(model.get("ink"));
    put(ink);
  }

  function goOn(event) {
    const { left, top, width } = canvas.getBoundingClientRect();
    const at = [event.clientX - left, event.clientY - top].map((pixels) => Math.round((2 * pixels * side) / width) / 2);
    const last = stroke.points.at(-1);
    if (!last || Math.hypot(at[0] - last[0], at[1] - last[1]) >= NEAR) stroke.points.push(at);
  }

  const listen = (name, action) => canvas.addEventListener(name, action, { signal });
  listen("pointerdown", (event) => {
    if (stroke || event.button !== 0) return;
    event.preventDefault(); // so that no text gets selected
    canvas.setPointerCapture(event.pointerId); // a stroke may leave the pad and come back
    const ink = model.get("ink");
    past.push(ink);
    stroke = { pointer: event.pointerId, before: ink.example === "none" ? ink.strokes : [], points: [] };
    goOn(event);
    redraw();
    due = setTimeout(tell, PAUSE);
  });
  listen("pointermove", (event) => {
    if (event.pointerId !== stroke?.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const part of between.length ? between : [event]) goOn(part);
    redraw();
    due ||= setTimeout(tell, PAUSE);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
    listen(name, (event) => {
      if (event.pointerId !== stroke?.pointer) return;
      if (name === "pointerup") goOn(event);
      const ink = { example: "none", strokes: strokes() };
      stroke = null;
      put(ink);
      redraw();
    });

  const button = (label, action) => {
    const made = make("button", { type: "button", ...KEYS }, label);
    made.addEventListener("click", action);
    hands.append(made);
  };
  button("Undo", () => put(past.pop() ?? { example: "none", strokes: model.get("ink").strokes.slice(0, -1) }));
  button("Clear", () => change({ example: "none", strokes: [] }));
  const choose = (name) => change({ example: name, strokes: examples[name] });
  const list = makeList("example", Object.keys(examples), choose, KEYS);
  hands.append(list.element);

  const update = () => {
    const {
      example,
      strokes: { length },
    } = model.get("ink");
    const drawn = length === 1 ? "one stroke" : `${length} strokes`;
    const what = example !== "none" ? `the example ${example}` : length ? drawn : "empty";
    canvas.setAttribute("aria-label", `drawing pad, ${what}`);
    list.show(example);
    redraw();
  };
  whenChanged(model, update, signal);
}
