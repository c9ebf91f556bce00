// Clicks on a Matplotlib picture: this part shows nothing, and stands in one box with the picture.

export function makeClicks(model, place, signal) {
  const onClick = (event) => {
    const box = place.closest(".lab-clicks");
    if (event.target.tagName !== "IMG" || !box?.contains(event.target)) return;
    const { left, top, width } = event.target.getBoundingClientRect();
    model.send({ x: (event.clientX - left) / width, y: (event.clientY - top) / width });
  };
  document.addEventListener("click", onClick, { signal }); // the picture may come later than this
}
