// The page of a task: a log that stands still while it is read, values to copy, the result when it comes.
"use strict";
(() => {
  async function showResult() {
    const pending = document.querySelector("#result[data-pending]");
    if (!pending) return;
    pending.removeAttribute("data-pending");
    const html = await (await fetch(location.href)).text();
    htmx.swap({ target: pending, sourceElement: pending, select: "#result", swap: "outerHTML", text: html });
  }

  const isRead = (tail) => tail.scrollTop < -4;
  let held = "";

  document.addEventListener("htmx:sse:before:message", ({ detail: { message } }) => {
    if (message.event) return;
    const template = document.createElement("template");
    template.innerHTML = message.data;
    const { content } = template;
    showAges(content);
    const tail = document.getElementById("log");
    const next = content.getElementById("log-text");
    if (tail && next && isRead(tail)) {
      held = next.innerHTML;
      next.innerHTML = tail.firstElementChild.innerHTML;
    }
    message.data = template.innerHTML;
    if (content.querySelector("h1 .done")) showResult();
  });

  document.addEventListener("scroll", ({ target }) => {
    if (target.id !== "log" || !held || isRead(target)) return;
    target.firstElementChild.innerHTML = held;
    held = "";
  }, true);

  document.addEventListener("click", async ({ target }) => {
    const { copy, copyFrom } = target.dataset;
    if (!copy && !copyFrom) return;
    await navigator.clipboard.writeText(copy || await (await fetch(copyFrom)).text());
    const label = target.textContent;
    target.textContent = "Copied";
    setTimeout(() => { target.textContent = label; }, 1500);
  });

  if (navigator.clipboard) document.documentElement.classList.add("copies");
})();
