// Curves that grow: the points that Python sends, only new ones, and charts with the names at the ends of the curves.

import { putText } from "./canvas.js";
import { pageColour, written } from "./theme.js";

const LEFT = 40; // pixels at the left of a chart

// The points of all curves, {id: rows of numbers}: `of(id)`. New ones come just before a message that has the lab draw.
// The returned `keep(curves)`, with what Python says of them, forgets the others and asks for what was lost on the way.
export function makePoints(lab) {
  const known = new Map();
  let asked = 0;
  const ask = () => {
    if (performance.now() - asked < 500) return;
    asked = performance.now();
    lab.post({ lacking: Object.fromEntries([...known].map(([id, rows]) => [id, rows.length])) });
  };
  const hear = (message, [buffer] = []) => {
    if (!("points" in message)) return;
    const rows = known.get(message.points) ?? [];
    if (message.at > rows.length) return ask();
    const { byteOffset, byteLength } = buffer;
    const numbers = new Float32Array(buffer.buffer.slice(byteOffset, byteOffset + byteLength));
    const width = numbers.length / message.count;
    for (let i = 0; i < message.count; i++) rows[message.at + i] = numbers.subarray(i * width, (i + 1) * width);
    known.set(message.points, rows);
  };
  lab.model.on("msg:custom", hear);
  lab.signal.addEventListener("abort", () => lab.model.off("msg:custom", hear));
  return {
    of: (id) => known.get(id) ?? [],
    keep(curves) {
      for (const id of known.keys()) if (!curves.some((curve) => curve.id === id)) known.delete(id);
      if (curves.some(({ id, points }) => points > (known.get(id)?.length ?? 0))) ask();
    },
  };
}

// The colours of curves, with a contrast of at least 3:1 on light and dark pages.
export function lineColours(element) {
  const isDark = document.body.dataset.jpThemeLight === "false";
  return {
    ink: pageColour(element, "--jp-ui-font-color1", "#111"),
    quiet: "#777",
    grid: isDark ? "#3d3d3d" : "#e2e2e2",
    now: isDark ? "#6db3f2" : "#1f6fb4",
    other: isDark ? "#ff9a66" : "#c0392b",
    trouble: isDark ? "#ff9a66" : "#a33c00",
  };
}

// A text, cut to `width` pixels.
export function fitted(context, text, width, size) {
  const family = getComputedStyle(context.canvas).fontFamily;
  context.font = `${size}px ${family}`;
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return `${text.slice(0, length)}…`;
}

// A text in lines of at most `width` pixels.
export function wrapped(context, text, width, size) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (fitted(context, longer, width, size) === longer) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// The places of the names: as near to the ends of their curves as possible without overlap.
function spread(ends, top, bottom, high) {
  const names = ends.map((end) => ({ ...end, at: end.y })).sort((a, b) => a.y - b.y);
  for (let turn = 0; turn < 30; turn++) {
    for (let i = 0; i + 1 < names.length; i++) {
      const overlap = (high - (names[i + 1].at - names[i].at)) / 2;
      if (overlap <= 0) continue;
      names[i].at -= overlap;
      names[i + 1].at += overlap;
    }
    for (const [i, name] of names.entries()) {
      name.at = Math.max(name.at, top + i * high);
      name.at = Math.min(name.at, bottom - (names.length - 1 - i) * high);
    }
  }
  return names;
}

// The axes of a chart in the rectangle `box`, whose right `box.names` pixels are kept free. axes: {title, x: [first,
// last], y: [lowest, highest], xTicks, yTicks, xLabel, xLogarithmic, logarithmic}. Returns where a number is: across(x)
// and down(y), and the ends of the axes.
export function putFrame(context, box, axes) {
  const colours = lineColours(context.canvas);
  const [left, top, right, bottom] = [box.x + LEFT, box.y + 24, box.x + box.width - box.names, box.y + box.height - 38];
  const [powerOfX, power] = [axes.xLogarithmic, axes.logarithmic].map((is) => (is ? Math.log10 : (number) => number));
  const [first, last] = axes.x.map(powerOfX);
  const [low, high] = axes.y.map(power);
  const across = (x) => left + ((powerOfX(x) - first) / (last - first)) * (right - left);
  // A curve beyond an end of the axis runs along the edge; NaN counts as infinite.
  const down = (y) => {
    const share = Number.isNaN(y) ? 1 : (power(Math.max(y, axes.logarithmic ? 1e-30 : -Infinity)) - low) / (high - low);
    return bottom - Math.min(Math.max(share, 0), 1) * (bottom - top);
  };
  putText(context, axes.title, left, box.y + 10, { weight: "bold" });
  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  for (const tick of axes.yTicks) {
    const y = Math.round(down(tick)) + 0.5;
    strokeLine(context, [
      [left, y],
      [right, y],
    ]);
    putText(context, tickText(tick), left - 6, y, { align: "right", size: 12 });
  }
  const below = { align: "center", size: 12 };
  for (const tick of axes.xTicks) putText(context, tickText(tick), across(tick), bottom + 12, below);
  putText(context, axes.xLabel, (left + right) / 2, bottom + 28, { align: "center", size: 12 });
  return { across, down, top, right, bottom };
}

// A chart: such axes, and lines: {points: [[x, y], ...], name, colour, width, dashed, dots, faded, strong}, the last on
// top, with their names at the right, where no curve runs. Returns its frame.
export function putChart(context, box, axes, lines) {
  const colours = lineColours(context.canvas);
  const frame = putFrame(context, box, axes);
  const { across, down, top, right, bottom } = frame;
  const ends = [];
  for (const line of lines) {
    const places = line.points.map(([x, y]) => [across(x), down(y)]);
    if (!places.length) continue;
    context.globalAlpha = line.faded ? 0.3 : 1;
    context.strokeStyle = context.fillStyle = line.colour;
    context.lineWidth = line.strong ? 3.5 : (line.width ?? 2);
    context.lineJoin = "round";
    context.setLineDash(line.dashed ? [6, 4] : []);
    strokeLine(context, places);
    context.setLineDash([]);
    for (const [x, y] of line.dots ? places : places.slice(-1)) putDot(context, x, y, line.width === 1.5 ? 2 : 3.5);
    if (line.name) ends.push({ ...line, x: places.at(-1)[0], y: places.at(-1)[1] });
    context.globalAlpha = 1;
  }
  for (const { name, x, y, at, colour, faded, strong } of spread(ends, top, bottom, 14)) {
    context.globalAlpha = faded ? 0.3 : 1;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash([1, 3]);
    strokeLine(context, [
      [x + 5, y],
      [right, y],
      [right + 5, at],
    ]);
    context.setLineDash([]);
    const text = fitted(context, name, box.names - 8, 12);
    const ink = colour === colours.quiet ? colours.ink : colour;
    putText(context, text, right + 7, at, { colour: ink, size: 12, weight: strong ? "bold" : "normal" });
    context.globalAlpha = 1;
  }
  return frame;
}

const tickText = (tick) =>
  tick && Math.abs(tick) < 0.001 ? tick.toExponential(0).replace("-", "−") : written(tick, 4);

export function strokeLine(context, places) {
  context.beginPath();
  for (const [x, y] of places) context.lineTo(x, y);
  context.stroke();
}

export function putDot(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
