// The keyboard when a button or an option takes itself away: the page's body would have it, where Shift+Enter does
// nothing.

const PATIENCE = 2000; // milliseconds until what had the keyboard is surely disabled or gone

// What `render` does for a widget that counts what was taken away.
export function giveKeyboardBack({ model, el, signal }) {
  const isLost = () => document.activeElement === document.body || document.activeElement?.matches(":disabled");
  const begin = () => {
    const cell = el.closest(".jp-Cell"); // another application keeps its cells by other means
    const end = performance.now() + PATIENCE;
    const look = () => {
      // Only the cell in which the click was: it has become the active one.
      if (signal.aborted || !cell?.matches(".jp-mod-active") || performance.now() > end) return;
      if (isLost()) cell.focus({ preventScroll: true });
      else setTimeout(look, 20);
    };
    look();
  };
  model.on("change:losses", begin);
  signal.addEventListener("abort", () => model.off("change:losses", begin));
}
