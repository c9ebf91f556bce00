// A canvas that stays sharp at every zoom, and maps of numbers on it.

import { calm, onTheme } from "./theme.js";

// For everything that can have the focus: otherwise Notebook 7 would take the arrow keys.
export const KEYS = { "data-lm-suppress-shortcuts": "true" };

// An HTML element with its attributes and its content.
export function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

let asked = null; // the canvases to draw at the end of `drawOnce`

// Run `action`, and only then draw the canvases that it wants redrawn, each once.
export function drawOnce(action) {
  const draws = (asked = new Set());
  try {
    action();
  } finally {
    asked = null;
  }
  for (const draw of draws) draw();
}

// A canvas in `place`, as wide as its place and `heightOf(width)` high. `draw(context, width, height)` draws it, in CSS
// pixels; it is called when its size, the zoom or the theme changes, and by the `redraw` that is returned.
export function makeCanvas(place, heightOf, draw, signal, attributes = {}) {
  const canvas = make("canvas", attributes);
  place.append(canvas);
  let width = 0;
  const redraw = () => {
    if (!width) return; // not in the page yet
    if (asked) return void asked.add(redraw);
    const height = heightOf(width);
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    canvas.style.height = `${height}px`;
    if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  };
  const watch = new ResizeObserver(() => {
    if (Math.floor(place.clientWidth) === width) return;
    width = Math.floor(place.clientWidth);
    redraw();
  });
  watch.observe(place);
  window.addEventListener("resize", redraw, { signal }); // for a zoom that does not change the width
  signal.addEventListener("abort", () => watch.disconnect());
  onTheme(redraw, signal);
  return { canvas, redraw };
}

// A map of numbers as a small picture with one pixel per number; `colour(number)` is [red, green, blue].
export function mapPicture(numbers, rows, columns, colour) {
  const picture = new OffscreenCanvas(columns, rows);
  const context = picture.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    const [red, green, blue] = colour(numbers[i]);
    pixels.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(pixels, 0, 0);
  return picture;
}

// An image of bytes, one channel or three, as such a picture; `first`: the place of its first byte.
export function bytePicture(bytes, [channels, rows, columns], first = 0) {
  const places = Array.from({ length: rows * columns }, (_, pixel) => first + pixel);
  const part = (pixel, channel) => bytes[pixel + Math.min(channel, channels - 1) * rows * columns];
  return mapPicture(places, rows, columns, (pixel) => [0, 1, 2].map((channel) => part(pixel, channel)));
}

// Put such a picture into a rectangle, its pixels with sharp edges.
export function putPicture(context, picture, x, y, width, height) {
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, x, y, width, height);
  context.strokeStyle = "rgb(128 128 128 / 60%)";
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}

// The marker of all labs: white with a dark outline, visible on every colour.
export function putMarker(context, x, y, width, height, thin = false) {
  for (const [colour, line] of thin
    ? [
        ["#111", 3],
        ["#fff", 1.5],
      ]
    : [
        ["#111", 5],
        ["#fff", 2.5],
      ]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x, y, width, height);
  }
}

export function putText(context, text, x, y, { colour, size = 13, align = "left", weight = "normal" } = {}) {
  const style = getComputedStyle(context.canvas);
  context.font = `${weight} ${size}px ${style.fontFamily}`;
  context.fillStyle = colour ?? style.color;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillText(text, x, y);
}

// Call `step()` every `milliseconds` until it returns false; returns a function that stops it. If the user has asked
// for reduced motion, it runs to its end at once, and there is nothing to stop.
export function play(step, milliseconds, signal) {
  if (calm()) {
    while (step());
    return null;
  }
  const timer = setInterval(() => step() || clearInterval(timer), milliseconds);
  const stop = () => clearInterval(timer);
  signal.addEventListener("abort", stop);
  return stop;
}
