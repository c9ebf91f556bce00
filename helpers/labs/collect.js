// The collecting lab: what is asked for, a pad, the drawing as the network will see it, and what is kept.

import { KEYS, bytePicture, make, makeCanvas, putPicture } from "./canvas.js";
import { living } from "./lab.js";
import { makePad } from "./pad.js";
import { host } from "./part.js";

const quoted = (word) => (word.length > 1 ? `“${word}”` : word);

export default living((lab) => {
  const part = (name, ...inside) => make("div", { class: name }, ...inside);
  const [pad, seen] = [part(""), part("lab-seen")];
  const asked = part("lab-asked");
  const keep = make("button", { type: "button", name: "Keep", ...KEYS }, "Keep");
  const [title, kept, where] = [part("lab-title"), part("lab-kept"), make("p", { class: "lab-note" })];
  const side = part("lab-collect-side", part("lab-title", "the network will see"), seen, keep);
  lab.place.append(part("lab-collect", part("", asked, pad), side, part("", title, kept, where)));
  const model = host(lab, "pad", makePad, pad);
  keep.addEventListener("click", async () => {
    lab.post({ keep: lab.facts().kept, ink: (await model).get("ink") });
  });
  const draw = (context, width) => {
    if (!lab.array("image")) return;
    const {
      data,
      shape: [rows, columns],
    } = lab.array("image");
    putPicture(context, bytePicture(data, [1, rows, columns]), 0, 0, width, width);
  };
  const image = makeCanvas(seen, (width) => width, draw, lab.signal, {
    role: "img",
    "aria-label": "the drawing as the network will see it",
  });

  // The last drawings; a click on one takes it back.
  function showKept({ places, words, count }) {
    const { data, shape } = lab.array("drawings");
    const buttons = places.map((place, i) => {
      const small = make("canvas", { width: shape[2], height: shape[1] });
      small.getContext("2d").drawImage(bytePicture(data, [1, shape[1], shape[2]], i * shape[1] * shape[2]), 0, 0);
      const label = `take ${quoted(words[i])} back, drawing ${place + 1}`;
      const button = make("button", { type: "button", "aria-label": label, title: label, ...KEYS }, small, words[i]);
      button.addEventListener("click", () => lab.post({ back: place, of: count }));
      return button;
    });
    kept.replaceChildren(...buttons);
  }

  let shown = "";
  return function redrawn() {
    const facts = lab.facts();
    if (!facts.places) return;
    asked.textContent = `Draw ${quoted(facts.word)}`;
    image.redraw();
    const state = JSON.stringify([facts.mark, facts.places, facts.words]);
    if (shown !== state) showKept(facts); // not while a stroke grows
    shown = state;
    const [last, count] = [facts.places.length, facts.count];
    title.textContent = !count
      ? "nothing is kept yet"
      : `${count === last ? `${count} kept` : `the last ${last} of ${count}`}: click on one to take it back`;
    const shared = facts.class ? `, and in the class's folder ${facts.class}` : "";
    const whose = `You are writer ${facts.mark}: no one can tell who that is.`;
    where.textContent = `${whose} What you keep is saved in ${facts.folder}${shared}.`;
  };
});
