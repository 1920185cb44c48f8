// Results: a changed setting takes effect at once, and the address follows what is shown.
"use strict";
document.addEventListener("change", (event) => event.target.closest("#result .settings")?.requestSubmit());
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "result" || !ctx.request) return;
  history.replaceState(null, "", ctx.request.action);
  ctx.request.anchor = null; // the reader is there already
});
