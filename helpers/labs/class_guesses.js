// What a class expected: everyone's guess in grey, the real curves on top, and the guess that is looked at.

import { lineColours, putChart } from "./curves.js";
import { written } from "./theme.js";

export const ACCURACIES = [0, 0.2, 0.4, 0.6, 0.8, 1];

const points = (at, accuracies) => at.map((epoch, i) => [epoch, accuracies[i]]);

export const inGuess = ({ who, at, expected, off }) => {
  const places = at.map((epoch, i) => `${written(expected[i], 2)} after epoch ${epoch}`);
  return `${who}: ${places.join(", ")}; ${off.toFixed(2)} off`;
};

// The chart of guesses, {who, at, expected, reached, off}; `chosen` is the place of the one to look at.
export function putGuesses(context, width, height, guesses, chosen) {
  const colours = lineColours(context.canvas);
  const lines = guesses.map(({ at, expected }) => ({
    points: points(at, expected),
    colour: colours.quiet,
    width: 1.5,
    faded: true,
  }));
  for (const { at, reached } of guesses)
    lines.push({ points: points(at, reached), colour: colours.now, width: 1.5, faded: guesses.length > 1 });
  const { who, at, expected, reached } = guesses[chosen] ?? { at: [] };
  lines.push({ points: points(at, reached), colour: colours.now, width: 3, dots: true, name: "the run" });
  lines.push({ points: points(at, expected), colour: colours.ink, dashed: true, dots: true, name: who });
  const longest = Math.max(1, ...guesses.map((guess) => guess.at.at(-1)));
  const step = Math.ceil(longest / 10);
  const xTicks = Array.from({ length: Math.floor(longest / step) + 1 }, (_, i) => i * step);
  const axes = {
    title: "validation accuracy",
    xLabel: "epoch",
    x: [0, longest],
    xTicks,
    y: [0, 1],
    yTicks: ACCURACIES,
  };
  return putChart(context, { x: 0, y: 0, width, height, names: 130 }, axes, lines);
}

// The place of the guess that passes nearest to a point of the picture.
export function guessAt(guesses, { across, down }, x, y) {
  const distances = guesses.map(({ at, expected }) =>
    Math.min(...at.map((epoch, i) => Math.hypot(across(epoch) - x, down(expected[i]) - y))),
  );
  return distances.indexOf(Math.min(...distances));
}
