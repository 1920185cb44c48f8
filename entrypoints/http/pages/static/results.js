// Results: a changed setting takes effect at once, and the address follows what is shown. The plot of a batch is loaded
// again while its tasks become done.
"use strict";
document.addEventListener("change", (event) => event.target.closest("#result .settings")?.requestSubmit());
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "result" || !ctx.request) return;
  history.replaceState(null, "", ctx.request.action);
  ctx.request.anchor = null; // the reader is there already
});
(() => {
  const REST_MILLISECONDS = 3000;
  const numberIn = (text) => Number(text.replace(/\D/g, ""));
  let isDue = true;

  async function followBatch() {
    const plot = document.querySelector("#result[data-done]");
    const done = document.querySelector("#tile-done strong");
    if (!plot || !isDue || document.hidden || plot.matches(":focus-within")) return;
    if (numberIn(done.textContent) <= numberIn(plot.dataset.done)) return;
    isDue = false;
    setTimeout(() => { isDue = true; followBatch(); }, REST_MILLISECONDS);
    const html = await (await fetch(location.href)).text();
    htmx.swap({ target: plot, sourceElement: plot, select: "#result", swap: "outerMorph", text: html });
  }

  for (const name of ["htmx:after:swap", "focusout"]) document.addEventListener(name, () => setTimeout(followBatch, 0));
})();
