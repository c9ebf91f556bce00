// The base of every lab in the browser: its frame, its board line, its messages, and the way to Python and back.

import { KEYS, drawOnce, make } from "./canvas.js";
import { makeControls, makeCopy } from "./controls.js";
import { hearAgain } from "./hearing.js";

const RESTARTED = "The kernel behind this lab has stopped: run this cell again.";

// The arrays of Python's `show`, {name: {data, shape}}, as `packed` sends them.
function unpack({ buffer, byteOffset }, places) {
  const unpacked = ([name, [start, count, shape, type]]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const Numbers = type === "uint8" ? Uint8Array : Float32Array;
    const isNew = new Uint8Array(buffer, byteOffset + start, Math.ceil(length / 8));
    const first = byteOffset + start + isNew.length;
    const sent = new Numbers(buffer.slice(first, first + count * Numbers.BYTES_PER_ELEMENT));
    const data = new Numbers(length);
    let next = 0;
    for (let i = 0; i < length; i++) data[i] = (isNew[i >> 3] >> (i & 7)) & 1 ? sent[next++] : data[i - 1];
    return [name, { data, shape }];
  };
  return Object.fromEntries(Object.entries(places).map(unpacked));
}

// Messages to Python. A move waits for the answer to the previous one, and then goes out with all later ones; whatever
// else is said goes out at once, after the moves that still waited. A line drops these: it sets everything.
function makeSender(model, root, signal) {
  const view = Math.random().toString(36).slice(2);
  let [count, sent, next, slow] = [0, null, null, 0];
  const post = (message, buffers) => model.send({ ...message, turn: `${view}-${++count}` }, undefined, buffers);
  const go = (move) => {
    sent = { move, turn: `${view}-${count + 1}` };
    slow = setTimeout(() => root.classList.add("lab-waits"), 400);
    post({ move });
  };
  const answered = () => {
    if (!sent || model.get("turn") !== sent.turn) return;
    clearTimeout(slow);
    root.classList.remove("lab-waits");
    sent = null;
    if (next) go(next);
    next = null;
  };
  signal.addEventListener("abort", () => clearTimeout(slow));
  return {
    post: (message, buffers) => {
      if (next && message.line === undefined) post({ move: next });
      next = null;
      post(message, buffers);
    },
    answered,
    inFlight: () => ({ ...sent?.move, ...next }),
    move: (values) => (sent ? (next = { ...next, ...values }) : go(values)),
  };
}

function makeBoard(place, send) {
  const text = make("input", {
    type: "text",
    spellcheck: "false",
    autocomplete: "off",
    "aria-label": "board line",
    ...KEYS,
  });
  const trouble = make("span", { class: "lab-refusal", role: "alert" });
  let typing = false;
  const label = make("span", { "aria-hidden": "true" }, "board line");
  place.append(label, text, makeCopy(text), trouble);
  const typed = () => {
    if (typing) send({ line: text.value });
    typing = false;
  };
  text.addEventListener("input", () => (typing = true));
  text.addEventListener("blur", typed);
  text.addEventListener("keydown", (event) => event.key === "Enter" && typed());
  return function show(line) {
    if (!typing) text.value = line.text;
    trouble.textContent = line.trouble;
  };
}

// The polite live line speaks 0.4 s after the last change, so that it is silent while a hand moves.
function makeVoice(place, signal) {
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return function say(text) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (place.textContent !== text) place.textContent = text;
    }, 400);
  };
}

// A widget's module: `export default living(makePicture)`. makePicture(lab) puts a picture into lab.place and returns
// its `draw()`, called whenever Python has sent something new. lab has: model, root, place, signal, facts(), and
// array(name) with `data` and `shape`; move({setting: value}), and isMoving(setting) while its answer is out;
// post(message, buffers) to Python's `hear`; say(text) for a screen reader; and `press`, to which a picture adds what a
// button does in the browser.
export function living(makePicture) {
  return {
    async render({ model, el, signal }) {
      await hearAgain(await model.widget_manager.get_model(model.get("me")));
      if (signal.aborted) return;
      const board = make("div", { class: "lab-board" });
      const hands = make("div", { class: "lab-controls" });
      const said = make("p", { class: "lab-said" });
      const place = make("div", { class: "lab-picture" });
      const last = make("p", { class: "lab-last" }, "last possible settings");
      const voice = make("div", { class: "lab-voice", role: "status" });
      const picture = make("div", { class: "lab-stage" }, place, last);
      const main = make("div", { class: "lab-main" }, said, picture);
      const frame = { class: "lab lab-alive", role: "group", "aria-label": `${model.get("name")} lab` };
      const root = make("div", frame, board, make("div", { class: "lab-body" }, hands, main), voice);
      el.append(root);

      const sender = makeSender(model, root, signal);
      const say = makeVoice(voice, signal);
      let [data, facts, arrays] = [null, null, {}];
      const lab = {
        model,
        root,
        place,
        signal,
        say,
        post: sender.post,
        move: sender.move,
        facts: () => model.get("facts"),
        array: (name) => arrays[name],
        press: {},
        isMoving: (...names) => names.some((name) => name in sender.inFlight()),
      };
      const showBoard = makeBoard(board, sender.post);
      const showControls = makeControls(hands, ({ name, kind }, value) =>
        kind === "button" ? (lab.press[name] ?? sender.post)({ press: name }) : sender.move({ [name]: value }),
      );
      showControls(model.get("settings"), {});
      const draw = makePicture(lab);
      let version = 0;
      const update = () => {
        sender.answered();
        if (data !== model.get("data") || facts !== model.get("facts")) {
          [data, facts] = [model.get("data"), model.get("facts")];
          arrays = unpack(data, facts.arrays ?? {});
        }
        showBoard(model.get("line"));
        showControls(model.get("settings"), sender.inFlight());
        const { text, trouble } = model.get("said");
        if (said.textContent !== text) say(text);
        said.textContent = text;
        said.classList.toggle("lab-trouble", trouble);
        root.classList.toggle("lab-refused", trouble);
        drawOnce(draw);
        root.dataset.version = ++version;
      };
      model.on("change", update);
      const stopped = () => {
        root.classList.add("lab-dead");
        said.textContent = RESTARTED;
        say(RESTARTED);
        root.querySelectorAll("input, select, button").forEach((hand) => (hand.disabled = true));
      };
      model.on("comm_live_update", stopped);
      // A kernel that is shut down, by hand or by a hub that found it idle, tells its widgets nothing: JupyterLab's own
      // connection to it, which other front ends do not have, ends then.
      const ended = model.widget_manager.kernel?.disposed;
      ended?.connect(stopped);
      signal.addEventListener("abort", () => ended?.disconnect(stopped));
      update();
    },
  };
}
