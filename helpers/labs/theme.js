// Colours: the page's own for type and lines, red and blue around zero for numbers, grey for pixels.

export const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Call `redraw` whenever the page changes between light and dark.
export function onTheme(redraw, signal) {
  const watch = new MutationObserver(redraw);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw, { signal });
  signal.addEventListener("abort", () => watch.disconnect());
}

// A colour of the page, as a canvas understands it.
export function pageColour(element, name, otherwise) {
  return getComputedStyle(element).getPropertyValue(name).trim() || otherwise;
}

const BLUE = [33, 102, 172];
const RED = [178, 24, 43];

// Red for what is above zero, blue for what is below, white at zero; [red, green, blue] from 0 to 255.
export function signed(number, strongest) {
  const share = strongest ? Math.min(Math.abs(number) / strongest, 1) : 0;
  return (number < 0 ? BLUE : RED).map((part) => Math.round(255 + (part - 255) * share));
}

// Black at `low`, white at `high`.
export function grey(number, low = 0, high = 1) {
  const part = Math.round((255 * (Math.min(Math.max(number, low), high) - low)) / (high - low || 1));
  return [part, part, part];
}

export const css = (parts) => `rgb(${parts.join(" ")})`;

// Black or white, whichever is easier to read on a colour.
export function inkOn(parts) {
  const [red, green, blue] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

// A number as a student writes it: at most `digits` significant digits, and a minus sign as wide as a plus.
export function written(number, digits = 3) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number < 0 ? "−∞" : "∞";
  const text = Math.abs(number) >= 1e6 ? number.toExponential(digits - 1) : String(Number(number.toPrecision(digits)));
  return text.replaceAll("-", "−");
}
