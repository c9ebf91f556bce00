// The keyboard when a button or an option takes itself away: the page's body would have it, where Shift+Enter does
// nothing.

const PATIENCE = 2000; // milliseconds until what had the keyboard is surely disabled or gone

export default {
  render({ model, el, signal }) {
    const isLost = () => document.activeElement === document.body || document.activeElement?.matches(":disabled");
    const giveBack = () => {
      const cell = el.closest(".jp-Cell"); // another application keeps its cells by other means
      const end = performance.now() + PATIENCE;
      // Only the cell in which the click was: it has become the active one.
      const look = () => {
        if (signal.aborted || !cell?.matches(".jp-mod-active") || performance.now() > end) return;
        if (isLost()) cell.focus({ preventScroll: true });
        else setTimeout(look, 20);
      };
      look();
    };
    model.on("change:losses", giveBack);
    signal.addEventListener("abort", () => model.off("change:losses", giveBack));
  },
};
