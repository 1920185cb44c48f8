// Lists of tasks: boxes that select many, times in the zone of the reader, and changes that go on by themselves.
"use strict";
(() => {
  const boxes = () => [...document.querySelectorAll('input[form="chosen"]')];
  const inputs = () => document.querySelectorAll('.filters input[type="datetime-local"]');
  let last = null;

  function showNumber() {
    const bar = document.getElementById("chosen");
    if (!bar) return;
    const number = boxes().filter((box) => box.checked).length;
    bar.querySelector("[data-number]").textContent = number ? ` ${number}` : "";
    for (const button of bar.querySelectorAll("button")) button.disabled = !number;
    for (const all of document.querySelectorAll("[data-all]")) {
      all.hidden = false;
      all.checked = number > 0 && number === boxes().length;
      all.indeterminate = number > 0 && !all.checked;
    }
  }

  document.addEventListener("click", ({ target, shiftKey }) => {
    if (target.matches("[data-all]")) for (const box of boxes()) box.checked = target.checked;
    if (target.matches('input[form="chosen"]')) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
      if (shiftKey && from >= 0) for (const box of all.slice(from, to)) box.checked = target.checked;
      last = target;
    }
    showNumber();
  });
  document.addEventListener("htmx:after:swap", showNumber);

  document.addEventListener("formdata", ({ target, formData }) => {
    for (const { form, name, value } of inputs()) {
      if (form === target && value) formData.set(name, new Date(value).toISOString());
    }
  });

  addEventListener("pageshow", () => {
    const going = document.querySelector("[data-goes-on]");
    if (going) setTimeout(() => going.requestSubmit(), 200);
  });
  document.addEventListener("DOMContentLoaded", () => {
    showNumber();
    for (const input of inputs()) {
      const label = input.labels[0].firstElementChild;
      label.textContent = label.textContent.replace("UTC", "your time");
      const moment = new Date(`${input.value}Z`);
      if (!input.value || Number.isNaN(moment.valueOf())) continue;
      input.value = new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
    }
  });
})();
