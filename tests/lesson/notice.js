// What the rehearsal of a lesson sees of a notebook's page: window.lesson, put there after each load (see notice.py).
window.lesson ??= (() => {
  const notebook = () => window.jupyterapp.shell.currentWidget.content;
  const cell = (id) => notebook().widgets.find((one) => one.model.sharedModel.getId() === id);
  const element = (node) => (node.nodeType === 1 ? node : node.parentElement);
  const output = (node) => element(node)?.closest(".jp-OutputArea");
  const isSeen = (node) => {
    const { width, height } = node.getBoundingClientRect();
    const { clipPath } = getComputedStyle(node); // hides what only screen readers are to find
    return width > 2 && height > 2 && clipPath !== "inset(50%)" && node.checkVisibility({ visibilityProperty: true });
  };

  // The moments at which something moved in an output, the latest last; in milliseconds.
  const signs = [];
  const sign = () => performance.now() - (signs.at(-1) ?? -1000) > 20 && signs.push(performance.now());
  new MutationObserver((changes) => changes.some(({ target }) => output(target)) && sign()).observe(document.body, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  const moves = ({ playState, effect }) => playState === "running" && effect.target && output(effect.target);
  setInterval(() => document.getAnimations().some(moves) && sign(), 200);

  // When the kernel sent what is heard of it, by its own clock; in milliseconds.
  const [sent, heard] = [[], new WeakSet()];
  function hear({ sessionContext }) {
    if (heard.has(sessionContext)) return;
    heard.add(sessionContext);
    sessionContext.iopubMessage.connect((_, { header }) => sent.push(Date.parse(header.date)));
  }

  // The words of each canvas since it was last cleared, [text, left, top, right, bottom] in its own pixels.
  const drawn = new WeakMap();
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    drawn.set(this.canvas, []);
    return clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
    const { actualBoundingBoxLeft, actualBoundingBoxRight, actualBoundingBoxAscent, actualBoundingBoxDescent } =
      this.measureText(text);
    const corners = [
      new DOMPoint(x - actualBoundingBoxLeft, y - actualBoundingBoxAscent),
      new DOMPoint(x + actualBoundingBoxRight, y + actualBoundingBoxDescent),
    ].map((corner) => corner.matrixTransform(this.getTransform()));
    drawn.get(this.canvas)?.push([text, corners[0].x, corners[0].y, corners[1].x, corners[1].y]);
    return fillText.call(this, text, x, y, ...more);
  };
  function overlap(canvas) {
    const words = drawn.get(canvas) ?? [];
    for (const [i, [text, left, top, right, bottom]] of words.entries())
      for (const [other, x0, y0, x1, y1] of words.slice(i + 1)) {
        const over = Math.min(right, x1) - Math.max(left, x0) > 1 && Math.min(bottom, y1) - Math.max(top, y0) > 1;
        if (over && text.trim() && other.trim()) return `“${text}” and “${other}”`;
      }
    return "";
  }

  const tags = (one) => one.model.getMetadata("tags") ?? [];
  const text = (output) => [output.text ?? []].flat().join("");

  // How often a cell has got a count since it was first looked at: the count itself may be that of yesterday again.
  const counted = new WeakMap();
  function runs(model) {
    if (!counted.has(model)) {
      counted.set(model, 0);
      model.stateChanged.connect((_, { name, newValue }) => {
        if (name === "executionCount" && newValue) counted.set(model, counted.get(model) + 1);
      });
    }
    return counted.get(model);
  }

  function state(id) {
    const { model, node, inputHidden } = cell(id);
    const outputs = model.outputs?.toJSON() ?? [];
    return {
      kind: model.type,
      active: notebook().activeCell === cell(id),
      runs: runs(model),
      folded: Boolean(inputHidden),
      source: model.sharedModel.getSource(),
      outputs: outputs.length,
      said: node.querySelector(".jp-Cell-outputWrapper")?.innerText ?? "",
      loads: /Loading widget|^Loading\.\.\.$/m.test(node.innerText),
    };
  }

  const version = (id) => cell(id).node.querySelector("[data-version]")?.dataset.version;

  // [kind, words] of all that is wrong with a cell as it stands there now, and of an error that it was asked for.
  function look(id) {
    const found = [];
    const note = (kind, words) => found.push([kind, words.trim().slice(0, 300)]);
    const { model, node } = cell(id);
    const shown = model.outputs?.toJSON() ?? [];
    const asked = tags(cell(id)).includes("raises-exception");
    for (const one of shown) {
      if (one.output_type === "error") note(asked ? "asked" : "red", `${one.ename}: ${one.evalue}`);
      if (one.output_type === "stream" && one.name === "stderr") note("red", text(one));
    }
    if (asked && !shown.some((one) => one.output_type === "error")) note("red", "no error, and one is promised");
    for (const red of node.querySelectorAll(".lab-trouble, .lab-refusal"))
      if (isSeen(red) && red.innerText.trim()) note("red", red.innerText);
    const place = model.type === "code" ? node.querySelector(".jp-Cell-outputWrapper") : node;
    if (state(id).loads) note("loading", "a widget is still loading");
    if (/Error displaying widget|model not found|Javascript Error/i.test(place.innerText))
      note("dead", place.innerText);
    if (node.querySelector(".lab-dead")) note("dead", "the lab says that its kernel has ended");
    const fills = (part) => part.innerText.trim() || part.querySelector("img, canvas, svg, input, video");
    const parts = [...place.querySelectorAll(".jp-OutputArea-output")].filter((part) => isSeen(part) && fills(part));
    if (shown.length && !parts.length) note("empty", "its output shows nothing");
    for (const part of place.querySelectorAll("*")) {
      if (!isSeen(part) || part.matches("input, select, option, textarea, svg *")) continue;
      const { overflowX, overflowY } = getComputedStyle(part);
      const cuts = (way) => /hidden|clip/.test(way);
      if (cuts(overflowX) && part.scrollWidth > part.clientWidth + 4) note("cut", `sideways: ${part.innerText}`);
      if (cuts(overflowY) && part.scrollHeight > part.clientHeight + 4) note("cut", `below: ${part.innerText}`);
      if (part.matches(".jp-TrimmedOutputs, .jp-OutputArea-trimmedOutputs")) note("cut", "JupyterLab left outputs off");
      if (
        part.matches("img, canvas, svg") &&
        part.getBoundingClientRect().right > place.getBoundingClientRect().right + 4
      )
        note("cut", `a picture is wider than its place: ${name(part)}`);
      if (part.matches("canvas") && overlap(part)) note("cut", `words lie on each other: ${overlap(part)}`);
      if (part.matches("img, canvas, svg") && !name(part))
        note("alt", `${part.tagName.toLowerCase()} ${part.className}`);
    }
    return found;
  }

  // The words that stand for a picture; an ipywidgets image has them in the line below it.
  function name(picture) {
    if (picture.closest("[aria-hidden=true]") || picture.closest("button, a")) return "decoration";
    const below = picture.matches(".widget-image") ? picture.parentElement.innerText.trim() : "";
    const title = picture.querySelector?.("title")?.textContent;
    const own = picture.alt === "Image" ? "" : picture.alt; // so JupyterLab calls a picture that has no words
    return own || picture.getAttribute("aria-label") || title || below;
  }

  return {
    state,
    look,
    // Whether a cell has run since `state` said `old` runs; reads no text from the page, since it is asked often.
    done(id, old) {
      const { model } = cell(id);
      return model.executionState === "idle" && runs(model) > old;
    },
    // How things stand where something is awaited: the kernel, who has the keyboard, seconds without a sign, cells.
    standing() {
      const { id, tagName, className } = document.activeElement ?? {};
      return {
        kernel: window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status ?? "gone",
        focus: [tagName, id, String(className ?? "").slice(0, 60)].filter(Boolean).join(" "),
        still: (performance.now() - (signs.at(-1) ?? 0)) / 1000,
        waiting: notebook()
          .widgets.filter(({ model }) => model.type === "code" && model.executionState !== "idle")
          .map(({ model }) => model.sharedModel.getId()),
      };
    },
    now: () => performance.now(),
    // The moment at which a wait begins.
    clock: () => {
      hear(window.jupyterapp.shell.currentWidget);
      return performance.now();
    },
    ids: () => notebook().widgets.map((one) => one.model.sharedModel.getId()),
    node: (id) => cell(id).node,
    // The longest time without a sign between two moments, in seconds.
    still: (from, to) => {
      const moments = [from, ...signs.filter((moment) => moment > from && moment < to), to];
      return Math.max(...moments.slice(1).map((moment, i) => moment - moments[i])) / 1000;
    },
    // Seconds from the kernel's first message since a moment to its last, whatever the page did meanwhile; the two have
    // one clock only if they are on one machine.
    worked: (from) => {
      const dates = sent.filter((date) => date >= performance.timeOrigin + from);
      return dates.length ? (Math.max(...dates) - Math.min(...dates)) / 1000 : 0;
    },
    moved: (from) => (signs.at(-1) ?? 0) > from,
    version,
    // Wait until a lab's picture is no longer that version, three seconds at most: a tab asks the kernel for nothing.
    answered: async (id, old) => {
      for (let i = 0; i < 30 && old && version(id) === old; i++) await new Promise((go) => setTimeout(go, 100));
    },
    words: () => notebook().node.innerText,
  };
})();
