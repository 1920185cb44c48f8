// Figures: `draw(place, spec, old)` draws the JSON of every <figure data-KIND>, and again once it has changed (a live
// region was swapped) or the colours have; it returns what it is given as `old` the next time, if the colours are the same.
"use strict";
function drawFigures(kind, draw) {
  const drawn = new WeakMap();
  const drawAll = (colors) => {
    for (const figure of document.querySelectorAll(`figure[data-${kind}]`)) {
      const text = figure.querySelector("script").textContent;
      const was = drawn.get(figure);
      if (was?.text === text && was.colors === colors) continue;
      const place = figure.querySelector(".drawing");
      drawn.set(figure, { text, colors, old: draw(place, JSON.parse(text), was?.old, was?.colors === colors) });
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => drawAll(dark.matches);
  document.addEventListener("htmx:after:swap", redraw);
  dark.addEventListener("change", redraw);
  redraw();
}
