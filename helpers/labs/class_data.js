// The class's drawings at the projector: how many of each word, who is not done yet, and what stands out.

import { make } from "./canvas.js";
import { makeGallery } from "./gallery.js";
import { living } from "./lab.js";

const DRAWINGS_HIGH = 300; // pixels: the counts of ten words stand above them

export default living((lab) => {
  const counts = make("tbody");
  const [heading, missing] = [make("div", { class: "lab-title" }), make("ul")];
  const table = make("div", {}, make("div", { class: "lab-title" }, "drawings of each word"));
  table.append(make("table", { class: "lab-chances" }, counts));
  const gallery = make("div");
  const troubles = make("ul", { class: "lab-troubles" });
  lab.place.append(make("div", { class: "lab-growth" }, table, make("div", {}, heading, missing)), gallery, troubles);
  // The first of the list is "all": a click on a drawing shows all of its word, and a second one all words again.
  const chosen = () => lab.model.get("settings").find(({ name }) => name === "word");
  const showGallery = makeGallery(
    gallery,
    lab,
    (i) => {
      const place = chosen().options.indexOf(lab.facts().words[lab.facts().labels[i]]);
      lab.move({ word: chosen().value === place ? 0 : place });
    },
    DRAWINGS_HIGH,
  );

  function makeRow(word, count, most) {
    const bar = make("span", { class: "lab-bar lab-bar-0" });
    bar.style.width = `${(75 * count) / Math.max(most, 1)}%`;
    const row = make("span", { class: "lab-bar-row" }, bar, String(count));
    return make("tr", {}, make("th", { scope: "row" }, word), make("td", {}, row));
  }

  function makeLine({ mark, count, words }) {
    const few = words.length > 12 ? `${words.slice(0, 12).join(" ")} …` : words.join(" ");
    return make("li", {}, make("span", { class: "lab-mark" }, mark), ` has ${count}, lacks ${few}`);
  }

  return function draw() {
    const facts = lab.facts();
    if (!facts.words) return;
    const most = Math.max(...facts.counts);
    counts.replaceChildren(...facts.words.map((word, i) => makeRow(word, facts.counts[i], most)));
    const all = facts.writers === 1 ? "The one writer has drawn" : `All ${facts.writers} writers have drawn`;
    heading.textContent = facts.missing.length ? "still to draw" : facts.writers ? `${all} every word` : "";
    missing.replaceChildren(...facts.missing.map(makeLine));
    if (facts.more) missing.append(make("li", {}, `and ${facts.more} more`));
    gallery.hidden = !facts.labels.length;
    const items = facts.labels.map((label, i) => ({ name: facts.marks[i].slice(0, 4), above: facts.words[label] }));
    if (items.length) showGallery(items, lab.array("images"), "show all drawings of this word");
    troubles.replaceChildren(...facts.troubles.map((trouble) => make("li", {}, `Not read: ${trouble}.`)));
  };
});
