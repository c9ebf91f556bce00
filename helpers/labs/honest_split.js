// The honest split: accuracies on drawings that were set aside at random, and on those of writers set aside.

import { makeCanvas, putText } from "./canvas.js";
import { lineColours, makePoints, putChart } from "./curves.js";
import { makeGoing } from "./going.js";
import { living } from "./lab.js";

const BARS_HIGH = 150; // pixels
const percents = (share) => `${(100 * share).toFixed(1)}%`;

export default living((lab) => {
  const showGoing = makeGoing(lab, lab.place, ["Train"]);
  const points = makePoints(lab);
  const { canvas, redraw } = makeCanvas(lab.place, () => BARS_HIGH + 270, draw, lab.signal, { role: "img" });

  function rows() {
    const { means, mnist } = lab.facts();
    const named = [
      ["split at random", means["at random"]],
      ["split by writer", means["by writer"]],
      ["MNIST's network", mnist],
    ];
    return named.filter(([, share]) => share !== undefined && share !== null);
  }

  function draw(context, width) {
    if (!lab.facts().means) return;
    const colours = lineColours(context.canvas);
    const [left, right] = [124, width - 72];
    const colourOf = { "split at random": colours.other, "split by writer": colours.now };
    putText(context, "accuracy on drawings that the network has not trained on", 0, 8, { weight: "bold" });
    rows().forEach(([name, share], i) => {
      const y = 26 + i * 40;
      putText(context, name, 0, y + 13, { size: 14 });
      context.fillStyle = colourOf[name] ?? colours.quiet;
      context.fillRect(left, y, share * (right - left), 26);
      putText(context, percents(share), width, y + 13, { size: 15, weight: "bold", align: "right" });
    });
    const curves = lab.model.get("going").curves ?? [];
    const lines = curves.map(({ id, name }, i) => ({
      points: points.of(id),
      name: i < 2 ? name : "",
      colour: name === "at random" ? colours.other : colours.now,
      dashed: name === "at random",
      width: 1.5,
    }));
    const end = lab.facts().epochs;
    const across = { x: [1, end], xLabel: "epoch", xTicks: [1, Math.round((1 + end) / 2), end] };
    const axes = { ...across, title: "while they train, each fold", y: [0, 1], yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1] };
    putChart(context, { x: 0, y: BARS_HIGH, width, height: 264, names: 90 }, axes, lines);
    canvas.setAttribute(
      "aria-label",
      `Accuracy: ${
        rows()
          .map(([name, share]) => `${name} ${percents(share)}`)
          .join(", ") || "not measured yet"
      }`,
    );
  }

  return () => {
    const going = lab.model.get("going");
    points.keep(going.curves ?? []);
    showGoing(going);
    redraw();
  };
});
