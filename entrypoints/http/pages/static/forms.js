// Forms: the address follows what is typed, files fill lists, and code can be copied.
"use strict";
(() => {
  const form = () => document.querySelector(".task-form");

  /** Let the address be the filled form. */
  function keepInAddress(control) {
    const { address } = form().dataset;
    if (!address || !/^(json$|how$|[fjstzvo]\.)/.test(control.name)) return;
    const url = new URL(address, location);
    const { name } = control;
    // Checked boxes of one field are one text, a line each.
    const controls = name.startsWith("f.") ? [...form().elements].filter((each) => each.name === name) : [control];
    const value = controls.filter((each) => each.type !== "checkbox" || each.checked).map((each) => each.value).join("\n");
    if (value || url.searchParams.has("from")) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
    if (url.href.length > 8000) return;
    form().dataset.address = url.href;
    history.replaceState(null, "", url);
  }

  document.addEventListener("input", ({ target }) => {
    if (!target.form?.matches(".task-form")) return;
    const field = target.closest(".field") || target.parentElement;
    if (target.type !== "checkbox" && target.value) {
      for (const box of field.querySelectorAll(".special :checked")) box.checked = false;
    }
    field.querySelectorAll("[name]").forEach(keepInAddress);
  });

  document.addEventListener("change", async ({ target }) => {
    const filled = document.getElementById(target.dataset.fills);
    if (!filled || !target.files[0]) return;
    const text = await target.files[0].text();
    // The first line of a table may be its head.
    filled.value = text.replace(/^[^\n\d]*\n/, "").trim();
    filled.dispatchEvent(new Event("input", { bubbles: true }));
  });

  document.addEventListener("click", async ({ target }) => {
    const copied = document.getElementById(target.dataset.copies);
    if (!copied) return;
    await navigator.clipboard.writeText(copied.textContent);
    target.textContent = "Copied";
  });

  /** Show what only a script can do. */
  function show() {
    for (const each of document.querySelectorAll(".file, [data-copies]")) each.hidden = false;
  }

  document.addEventListener("toggle", ({ target }) => {
    if (target.id === "code" && target.open) target.querySelector("[name=do]").click();
  }, true);
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("DOMContentLoaded", show);
})();
