// The lab that learns a kernel: goal, present state and difference of the kernel and of its map, and the loss.

import { makeCanvas, mapPicture, putPicture, putText } from "./canvas.js";
import { lineColours, makePoints, putChart } from "./curves.js";
import { makeGoing } from "./going.js";
import { living } from "./lab.js";
import { decimals } from "./table.js";
import { inkOn, signed, written } from "./theme.js";

const STEPS = 300; // the initial length of the axis, by which it also grows

export default living((lab) => {
  const showGoing = makeGoing(lab, lab.place, ["Run"]);
  const points = makePoints(lab);
  const isNarrow = (width) => width < 560;
  const heightOf = (width) => (isNarrow(width) ? 2 * mapSide(width) + 390 : Math.max(2 * mapSide(width) + 76, 330));
  const mapSide = (width) => Math.floor(Math.min((isNarrow(width) ? width : 0.56 * width) / 3 - 8, 150));
  const { canvas, redraw } = makeCanvas(lab.place, heightOf, draw, lab.signal, { role: "img" });

  function draw(context, width, height) {
    const side = mapSide(width);
    putTriple(context, ["target", "kernel"], ["target kernel", "learnt kernel", "difference"], side, 0);
    putTriple(context, ["wanted", "output"], ["wanted output", "output now", "difference"], side, side + 34);
    putText(context, "red positive, blue negative, white 0", 0, 2 * side + 66, { size: 12 });
    const left = isNarrow(width) ? 0 : 3 * side + 30;
    const top = isNarrow(width) ? 2 * side + 80 : 0;
    putLosses(context, { x: left, y: top, width: width - left, height: Math.min(height - top, 340), names: 56 });
  }

  // A goal, the present state and their difference, on the goal's scale, which stays while `now` changes.
  function putTriple(context, [goalName, nowName], titles, side, top) {
    const [goal, now] = [lab.array(goalName), lab.array(nowName)];
    const [rows, columns] = goal.shape;
    const strongest = goal.data.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
    const three = [goal.data, now.data, now.data.map((number, i) => number - goal.data[i])];
    for (const [i, numbers] of three.entries()) {
      const left = i * (side + 8);
      putText(context, titles[i], left, top + 10);
      const picture = mapPicture(numbers, rows, columns, (number) => signed(number, strongest));
      putPicture(context, picture, left, top + 22, side, side);
      if (rows > 5) continue;
      const cell = side / rows;
      for (const [at, number] of numbers.entries()) {
        const style = { align: "center", colour: inkOn(signed(number, strongest)), size: Math.min(13, cell / 3.4) };
        const [row, column] = [Math.floor(at / columns), at % columns];
        putText(context, decimals(number), left + (column + 0.5) * cell, top + 22 + (row + 0.5) * cell, style);
      }
    }
  }

  function putLosses(context, box) {
    const colours = lineColours(context.canvas);
    const curves = lab.model.get("going").curves ?? [];
    const lines = curves.map(({ id, name }, i) => {
      const isNow = i === curves.length - 1;
      const rows = points.of(id);
      const colour = !isNow ? colours.quiet : rows.at(-1)?.[1] <= rows[0]?.[1] ? colours.now : colours.trouble;
      return { points: rows, name, colour, width: isNow ? 2.5 : 1.5 };
    });
    const longest = Math.max(1, ...lines.map((line) => line.points.length - 1));
    const end = STEPS * Math.ceil(longest / STEPS);
    const axes = {
      title: "loss (mean squared error)",
      x: [0, end],
      y: [1e-4, 1e4],
      logarithmic: true,
      xTicks: [0, end / 3, (2 * end) / 3, end],
      yTicks: [1e-4, 1e-2, 1, 100, 10000],
      xLabel: "step",
    };
    putChart(context, box, axes, lines);
    lab.root.dataset.points = lines.at(-1)?.points.length ?? 0;
    const loss = lines.at(-1)?.points.at(-1)?.[1] ?? NaN;
    const kernel = [...lab.array("kernel").data].map((number) => written(number)).join(", ");
    canvas.setAttribute("aria-label", `the loss is ${written(loss)}; the learnt kernel has ${kernel}`);
  }

  return () => {
    const going = lab.model.get("going");
    points.keep(going.curves ?? []);
    showGoing(going);
    redraw();
  };
});
