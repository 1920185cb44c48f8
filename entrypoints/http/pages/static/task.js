// The page of a task: a log that stands still while it is read, times that tick, values to copy, the result when it comes.
"use strict";
(() => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function words(seconds) {
    const first = Math.max(units.findIndex(([size]) => seconds >= size), 0);
    const at = seconds < 1 ? 3 : first;
    const [size, unit] = units[at];
    const rest = at < 3 ? ` ${Math.floor((seconds % size) / units[at + 1][0])} ${units[at + 1][1]}` : "";
    return `${Math.floor(seconds / size)} ${unit}${rest}`;
  }

  function tick(root) {
    for (const each of root.querySelectorAll("[data-since]")) {
      const seconds = Math.max((Date.now() - new Date(each.dataset.since)) / 1000, 0);
      const left = each.dataset.usual - seconds;
      const rest = left > 0 ? `, about ${words(Math.ceil(left))} left` : left <= 0 ? ", longer than usual" : "";
      each.textContent = `for ${words(seconds)}${rest}`;
    }
  }

  const isRead = (tail) => tail.scrollTop < -4;
  let held = "";

  document.addEventListener("htmx:sse:before:message", ({ detail: { message } }) => {
    if (message.event) return;
    const template = document.createElement("template");
    template.innerHTML = message.data;
    tick(template.content);
    const tail = document.getElementById("log");
    const next = template.content.getElementById("log-text");
    if (tail && next && isRead(tail)) {
      held = next.innerHTML;
      next.innerHTML = tail.firstElementChild.innerHTML;
    }
    message.data = template.innerHTML;
    if (template.content.querySelector("h1 .status.done") && document.querySelector("#result[data-pending]")) {
      htmx.ajax("GET", location.href, { target: "#result", select: "#result", swap: "outerHTML" });
    }
  });

  document.addEventListener("scroll", ({ target }) => {
    if (target.id !== "log" || !held || isRead(target)) return;
    target.firstElementChild.innerHTML = held;
    held = "";
  }, true);

  document.addEventListener("click", async ({ target }) => {
    const { copy, copyFrom } = target.dataset;
    if (!copy && !copyFrom) return;
    const text = copy || await (await fetch(copyFrom)).text();
    await navigator.clipboard.writeText(text);
    const label = target.textContent;
    target.textContent = "Copied";
    setTimeout(() => { target.textContent = label; }, 1500);
  });

  if (navigator.clipboard) document.documentElement.classList.add("copies");
  setInterval(tick, 1000, document);
  tick(document);
})();
