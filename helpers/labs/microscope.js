// The microscope: all maps of a layer of the student's own network; a cell of one, the patch of the image that it sees,
// and how its number is computed.

import { bytePicture, make, makeCanvas, mapPicture, putMarker, putPicture } from "./canvas.js";
import { living } from "./lab.js";
import { grey, signed, written } from "./theme.js";
import { makeMap } from "./window.js";
import { makeWorking } from "./working.js";

const strongest = (numbers) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

// One channel of an array (channels, rows, columns).
const channelOf = ({ data, shape: [, rows, columns] }, channel) => ({
  data: data.subarray(channel * rows * columns, (channel + 1) * rows * columns),
  rows,
  columns,
});

// All maps in one canvas, each in a square slot. hand: as in makeMap, with [channel, row, column].
function makeMosaic(place, lab, hand) {
  const title = make("div", { class: "lab-title" });
  const frame = make("div", { class: "lab-map" }, title);
  place.append(frame);
  let [maps, pictures, at, slot, across] = [null, [], [0, 0, 0], 1, 1];
  const draw = (context, width) => {
    if (!maps) return;
    const [count, rows, columns] = maps.shape;
    across = Math.ceil(Math.sqrt(count));
    slot = (width - 6) / across;
    const cell = (slot - 4) / Math.max(rows, columns);
    context.translate(3, 3);
    pictures.forEach((picture, i) => {
      const [x, y] = [(i % across) * slot + 2, Math.floor(i / across) * slot + 2];
      putPicture(context, picture, x, y, columns * cell, rows * cell);
      if (i === at[0]) putMarker(context, x, y, columns * cell, rows * cell);
    });
  };
  const heightOf = (width) => (maps ? Math.ceil(maps.shape[0] / across) * ((width - 6) / across) + 6 : 0);
  const named = { tabindex: 0, role: "slider", "aria-label": "channel", "aria-valuemin": 0, "aria-valuenow": 0 };
  const keys = { "data-lm-suppress-shortcuts": "true" };
  const { canvas, redraw } = makeCanvas(frame, heightOf, draw, lab.signal, { ...named, ...keys });
  const listen = (kind, action) => canvas.addEventListener(kind, action, { signal: lab.signal });
  const place3 = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - 3, event.clientY - box.top - 3];
    const [count, rows, columns] = maps.shape;
    const channel = Math.floor(y / slot) * across + Math.floor(x / slot);
    if (x < 0 || y < 0 || x >= across * slot || channel >= count) return null;
    const cell = (slot - 4) / Math.max(rows, columns);
    const inside = (distance, size) => Math.min(Math.max(Math.floor(((distance % slot) - 2) / cell), 0), size - 1);
    return [channel, inside(y, rows), inside(x, columns)];
  };
  const then = (action) => (event) => {
    const found = place3(event);
    if (found) action(found);
  };
  listen("pointermove", then(hand.over));
  listen("pointerup", then(hand.set));
  listen("pointerleave", hand.out);
  listen("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    const channel = at[0] + step;
    if (!step || channel < 0 || channel >= maps.shape[0]) return;
    event.preventDefault();
    hand.set([channel, at[1], at[2]]);
  });
  return {
    picture: (channel) => pictures[channel],
    show(next, colour) {
      maps = next;
      across = Math.ceil(Math.sqrt(maps.shape[0]));
      pictures = Array.from({ length: maps.shape[0] }, (_, i) => {
        const { data, rows, columns } = channelOf(maps, i);
        return mapPicture(data, rows, columns, colour);
      });
      title.textContent = maps.shape[0] > 1 ? `channels 0 to ${maps.shape[0] - 1}` : "its one channel";
      canvas.setAttribute("aria-valuemax", Math.max(maps.shape[0] - 1, 1));
    },
    mark(cell) {
      at = cell;
      canvas.setAttribute("aria-valuenow", cell[0]);
      canvas.setAttribute("aria-valuetext", `channel ${cell[0]}`);
      redraw();
    },
  };
}

export default living((lab) => {
  const maps = make("div", { class: "lab-maps lab-layer" });
  lab.place.append(maps);
  const at = { pinned: [0, 0, 0], over: null, pixel: null };
  const cell = () => at.over ?? at.pinned;
  const put = (changes) => {
    Object.assign(at, { over: null, pixel: null }, changes);
    show();
  };
  const pin = ([channel, row, column]) => {
    put({ pinned: [channel, row, column] });
    lab.move({ channel, row, column });
  };
  const over = (found) => put({ over: found });
  const out = () => put({});
  const step = (by) => {
    const [channel, ...place] = at.pinned;
    const sizes = lab.array("maps").shape.slice(1);
    pin([channel, ...place.map((from, i) => Math.min(Math.max(from + by[i], 0), sizes[i] - 1))]);
  };
  const read = ({ data, shape: [, rows, columns] }, [channel, row, column]) =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : data[(channel * rows + row) * columns + column];
  // In the image: which cells of the map see this pixel? A click chooses the one in their middle.
  const seers = (pixel) =>
    lab
      .facts()
      .sees.map((spans, axis) =>
        spans.flatMap((span, i) => (span && span[0] <= pixel[axis] && pixel[axis] <= span[1] ? [i] : [])),
      );
  const middle = (pixel) => seers(pixel).map((found, axis) => found[found.length >> 1] ?? cell()[axis + 1]);
  const image = makeMap(
    maps,
    lab,
    "pixel of the image",
    {
      over: (pixel) => put({ pixel }),
      drag: (pixel) => put({ over: [at.pinned[0], ...middle(pixel)] }),
      set: (pixel) => pin([at.pinned[0], ...middle(pixel)]),
      out,
      step,
    },
    ([row, column]) => {
      const { data, shape } = lab.array("image");
      const [rows, columns] = shape.slice(-2);
      const channels = shape.length > 2 ? [0, 1, 2] : [0]; // of a colour image: red, green, blue
      return channels.map((channel) => written(data[(channel * rows + row) * columns + column])).join(", ");
    },
  );
  const mosaic = makeMosaic(maps, lab, { over, set: pin, out });
  const onto = (action) => (found) => action([at.pinned[0], ...found]);
  const hand = { over: onto(over), drag: onto(over), set: onto(pin), out, step };
  const large = makeMap(maps, lab, "cell of the map", hand, (found) =>
    written(read(lab.array("maps"), [cell()[0], ...found]), 4),
  );
  const showWorking = makeWorking(lab);

  function show() {
    const facts = lab.facts();
    const [channel, row, column] = cell();
    const [, rows, columns] = lab.array("maps").shape;
    large.show({ picture: mosaic.picture(channel), rows, columns, title: `channel ${channel}, ${rows}×${columns}` });
    const found = at.pixel && seers(at.pixel);
    large.mark(
      found ? found[0].flatMap((y) => found[1].map((x) => ({ row: y, column: x, thin: true }))) : [{ row, column }],
      [row, column],
    );
    mosaic.mark(cell());
    const spans = [facts.sees[0][row], facts.sees[1][column]];
    const patch = spans[0] &&
      spans[1] && {
        row: spans[0][0],
        column: spans[1][0],
        height: spans[0][1] - spans[0][0] + 1,
        width: spans[1][1] - spans[1][0] + 1,
      };
    if (at.pixel) image.mark([{ row: at.pixel[0], column: at.pixel[1] }], at.pixel);
    else image.mark(patch ? [patch] : [], patch ? [patch.row, patch.column] : [0, 0]);
    showWorking(cell(), read, patch);
  }

  return function draw() {
    if (!lab.isMoving("channel", "row", "column")) at.pinned = lab.facts().cell;
    at.over = null;
    const { data, shape } = lab.array("image");
    const white = data instanceof Uint8Array ? 255 : 1;
    const [rows, columns] = shape.slice(-2);
    const picture =
      shape.length > 2
        ? bytePicture(
            data.map((number) => (255 / white) * number),
            shape,
          )
        : mapPicture(data, rows, columns, (number) => grey(number, 0, white));
    image.show({ picture, rows, columns, title: lab.facts().title });
    const limit = strongest(lab.array("maps").data);
    mosaic.show(lab.array("maps"), (number) => signed(number, limit));
    show();
  };
});
