// The shapes lab: a network layer by layer and to scale; what each layer costs, and under it the settings that change
// it.

import { KEYS, make } from "./canvas.js";
import { makeCopy } from "./controls.js";
import { living } from "./lab.js";

const COSTS = ["parameters", "multiply-adds", "outputs, kB"];
const [PILE_WIDE, BAR_WIDE, PILE_HIGH] = [80, 14, 104]; // pixels of the pictures
const [MOST_MAPS, BEHIND] = [12, 2.5]; // maps drawn of a layer, and pixels from one to the one behind it
const LARGEST = 2.6; // pixels of the picture for one pixel of a map

const behind = (shape) => BEHIND * (Math.min(shape[0], MOST_MAPS) - 1);

// Pixels of the picture for one pixel of a map: the same for all layers, and every pile fits.
function pileScale(shapes) {
  const maps = shapes.filter((shape) => shape.length === 3);
  return Math.min(
    LARGEST,
    ...maps.flatMap((s) => [(PILE_WIDE - 2 - behind(s)) / s[2], (PILE_HIGH - 2 - behind(s)) / s[1]]),
  );
}

// A layer's maps as a pile, or a dense layer as a bar, as SVG text. Bars to scale would dwarf the maps, or vanish, so
// their heights go with the root of the number of outputs.
function pileSvg(shape, scale) {
  const rectangle = (x, y, width, height) => `<rect x="${x}" y="${y}" width="${width}" height="${height}"/>`;
  const inside = [];
  if (shape.length === 3) {
    const [across, high] = [shape[2] * scale, shape[1] * scale];
    const left = (PILE_WIDE - across - behind(shape)) / 2;
    for (let back = behind(shape); back >= 0; back -= BEHIND) {
      inside.push(rectangle(left + back, PILE_HIGH - 1 - high - back, across, high));
    }
  } else {
    const high = Math.min(5 * Math.sqrt(shape[0]), PILE_HIGH - 2);
    inside.push(rectangle(0, PILE_HIGH - 1 - high, BAR_WIDE, high));
  }
  const wide = shape.length === 3 ? PILE_WIDE : BAR_WIDE;
  const size = `width="${wide}" height="${PILE_HIGH}" viewBox="0 0 ${wide} ${PILE_HIGH}"`;
  return `<svg ${size} aria-hidden="true">${inside.join("")}</svg>`;
}

// A column with a name above and a number for each kind of cost. Returns `show(costs)`, of [text, share].
function makeCosts(column) {
  const rows = COSTS.map((name) => {
    const bar = make("span", { class: "lab-share" });
    const text = make("span", { class: "lab-amount" });
    column.append(make("div", { class: "lab-cost" }, bar, make("span", { class: "lab-cost-name" }, name), text));
    return { bar, text };
  });
  return (costs) =>
    costs.forEach(([text, share], i) => {
      rows[i].text.textContent = text;
      rows[i].bar.style.width = `${100 * share}%`;
    });
}

export default living((lab) => {
  const columns = make("div", { class: "lab-layers" });
  const why = make("p", { class: "lab-why" });
  const code = make("code");
  const copy = makeCopy(code, "Copy the line of Python");
  lab.place.append(columns, why, make("div", { class: "lab-python" }, code, copy));
  let [layers, over, pinned] = [[], null, 1];
  let [piles, showTotals] = [[], null];

  const explain = (spoken) => {
    const shown = over ?? pinned;
    const { name, why: lines } = layers[shown];
    why.replaceChildren(make("b", {}, name), ...lines.map((line) => make("span", {}, line)));
    piles.forEach(({ head, column }, i) => {
      head.setAttribute("aria-pressed", i === pinned);
      column.classList.toggle("lab-explained", i === shown);
    });
    if (spoken) lab.say(`${name}: ${lines.join("; ")}`);
  };
  const look = (i, spoken) => {
    over = i;
    explain(spoken);
  };

  function makeLayer({ name, kind }, i) {
    const [pile, shape] = [make("span", { class: "lab-pile" }), make("span", { class: "lab-shape" })];
    const title = make("span", {}, name);
    const head = make("button", { type: "button", class: "lab-layer-head", ...KEYS }, pile, title, shape);
    const column = make("div", { class: `lab-layer-column lab-of-${kind}`, role: "group", "aria-label": name }, head);
    const costs = makeCosts(column);
    const slot = make("div", { class: "lab-slot" });
    column.append(slot);
    columns.append(column);
    head.addEventListener("click", () => {
      pinned = i;
      look(null, true);
    });
    head.addEventListener("focus", () => look(i, head.matches(":focus-visible")));
    column.addEventListener("focusin", () => look(i));
    column.addEventListener("focusout", () => look(null));
    column.addEventListener("pointerenter", () => look(i));
    column.addEventListener("pointerleave", () => look(null));
    return { pile, shape, head, column, slot, costs };
  }

  // The names of the rows at the left, and the sums of the whole network at the right.
  const makeEnd = (className, ...head) => {
    const column = make(
      "div",
      { class: `lab-layer-column ${className}` },
      make("div", { class: "lab-shape" }, ...head),
    );
    columns.append(column);
    return makeCosts(column);
  };

  return function draw() {
    const facts = lab.facts();
    if (!facts.layers) return;
    layers = facts.layers;
    if (!piles.length) {
      makeEnd("lab-row-names");
      piles = layers.map(makeLayer);
      showTotals = makeEnd("lab-totals", "total");
    }
    const scale = pileScale(layers.map(({ shape }) => shape));
    layers.forEach(({ name, shape, costs }, i) => {
      piles[i].pile.innerHTML = pileSvg(shape, scale);
      piles[i].shape.textContent = shape.join("×");
      piles[i].costs(costs);
      const settings = lab.root.querySelector(`.lab-controls > [data-group="${name}"]`);
      if (settings) piles[i].slot.replaceChildren(settings);
    });
    showTotals(facts.totals.map((text) => [text, 0]));
    code.textContent = facts.python;
    explain();
  };
});
