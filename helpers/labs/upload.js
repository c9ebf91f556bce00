// A button for a photograph. A large one is made smaller here: Jupyter's server drops what is above 10 MB.

import { KEYS, make } from "./canvas.js";
import { makeList, whenChanged } from "./part.js";

const SMALL = 1_000_000; // bytes; a smaller file is sent unchanged
const PYTHON_READS = ["image/jpeg", "image/png", "image/gif", "image/bmp", "image/webp"];

// The file itself, or its picture as JPEG or PNG with at most `longest` pixels a side.
async function smaller(file, longest) {
  if (file.size <= SMALL && PYTHON_READS.includes(file.type)) return file;
  let whole;
  try {
    whole = await createImageBitmap(file);
  } catch {
    return file.slice(0, SMALL); // enough for Python to say what is wrong with it
  }
  const scale = Math.min(1, longest / Math.max(whole.width, whole.height));
  const [width, height] = [whole.width, whole.height].map((size) => Math.max(1, Math.round(size * scale)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, width, height);
  whole.close();
  const transparent = file.type !== "image/jpeg";
  return canvas.convertToBlob(transparent ? { type: "image/png" } : { type: "image/jpeg", quality: 0.92 });
}

export function makeUpload(model, place, signal) {
  const file = make("input", { type: "file", accept: "image/*", hidden: true });
  const button = make("button", { type: "button", ...KEYS }, "your photograph …");
  const said = make("p", { class: "lab-note", role: "status" });
  const invert = (name) => {
    model.set("inverted", name);
    model.save_changes();
  };
  const list = makeList("invert the photo", model.get("ways"), invert, KEYS);
  place.append(make("div", { class: "lab-upload" }, file, button, list.element, said));
  button.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    said.classList.remove("lab-trouble");
    said.textContent = `${chosen.name}: on its way …`;
    const content = await smaller(chosen, model.get("longest"));
    file.value = ""; // the same file may be chosen again
    const name = chosen.name;
    model.send({ name, bytes: chosen.size }, undefined, [await content.arrayBuffer()]);
  });
  const update = () => {
    const { text, trouble } = model.get("said");
    said.textContent = text;
    said.classList.toggle("lab-trouble", trouble);
    list.show(model.get("inverted"));
  };
  whenChanged(model, update, signal);
}
