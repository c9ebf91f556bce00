// Our own tabs: those of ipywidgets do not respond after a reload.

import { KEYS, make } from "./canvas.js";

let tabsMade = 0;

// Tabs in `place`, {title: element}; the arrow keys go from one to the next. Returns a function that opens a tab.
export function makeTabs(place, panels, label) {
  const id = `lab-tabs-${++tabsMade}-${Math.random().toString(36).slice(2)}`;
  const list = make("div", { class: "lab-tabs", role: "tablist", "aria-label": label });
  const tabs = Object.entries(panels).map(([title, panel], i) => {
    const own = { role: "tab", type: "button", id: `${id}-${i}`, "aria-controls": `${id}-${i}-panel`, ...KEYS };
    const tab = make("button", own, title);
    panel.classList.add("lab-panel");
    panel.id = `${id}-${i}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => choose(i));
    list.append(tab);
    return tab;
  });
  function choose(chosen) {
    for (const [i, panel] of Object.values(panels).entries()) {
      panel.hidden = i !== chosen;
      tabs[i].setAttribute("aria-selected", i === chosen);
      tabs[i].tabIndex = i === chosen ? 0 : -1;
    }
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    choose(next);
    tabs[next].focus();
  });
  choose(0);
  place.append(list, ...Object.values(panels));
  return (title) => choose(Object.keys(panels).indexOf(title));
}
