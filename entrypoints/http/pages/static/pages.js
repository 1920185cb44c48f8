// What the pages do with a script: times in the zone of the reader, live regions that disturb nobody, and keys.
// Every page reads and every form posts without it.
"use strict";
(() => {
  const times = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

  /** Show every time below a node in the zone of the reader. */
  function localizeTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.valueOf())) continue;
      time.textContent = times.format(moment);
      time.title = `${exact.format(moment)} (${time.dateTime})`;
    }
  }

  /** Whether a change of the live region would disturb the reader, who selects, has checked or is about to act. */
  function isReaderBusy(region) {
    const selection = document.getSelection();
    const selects = selection && !selection.isCollapsed && selection.containsNode(region, true);
    const focused = document.activeElement;
    const isInside = focused && focused !== region && region.contains(focused) && !focused.matches("[data-tail]");
    return Boolean(selects || isInside || region.querySelector("input:checked") || region.querySelector("dialog[open]"));
  }

  let missed = null;

  /** Swap what was held back as soon as the reader is not busy any more. */
  function catchUp() {
    const region = document.getElementById("live");
    if (missed === null || !region || isReaderBusy(region)) return;
    const html = missed;
    missed = null;
    htmx.swap({ target: region, swap: "innerMorph", text: html, sourceElement: region });
  }

  document.addEventListener("htmx:sse:before:message", (event) => {
    const { message } = event.detail;
    if (message.event) return;
    const template = document.createElement("template");
    template.innerHTML = message.data;
    localizeTimes(template.content);
    message.data = template.innerHTML;
    if (!isReaderBusy(event.target)) return;
    missed = message.data;
    event.detail.cancelled = true;
  });
  for (const name of ["selectionchange", "focusout", "change", "close"]) {
    document.addEventListener(name, () => setTimeout(catchUp, 0), true);
  }
  document.addEventListener("htmx:sse:after:connection", () => showStreamState(true));
  document.addEventListener("htmx:sse:error", () => showStreamState(false));

  function showStreamState(isConnected) {
    document.getElementById("stream-state").hidden = isConnected;
  }

  const pages = { o: "Overview", t: "Tasks", b: "Batches", y: "Types", h: "Handlers", s: "Submit" };
  let isGoing = false;

  function goTo(letter) {
    const link = [...document.querySelectorAll(".top nav a")].find((each) => each.textContent === pages[letter]);
    if (link) link.click();
  }

  function moveBetweenRows(step) {
    const links = [...document.querySelectorAll("[data-row] th a")];
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
    if (next) next.focus();
  }

  const keys = {
    "/": () => document.getElementById("find").select(),
    "?": () => document.getElementById("keys").showModal(),
    g: () => { isGoing = true; },
    j: () => moveBetweenRows(1),
    k: () => moveBetweenRows(-1),
  };

  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, textarea, select, [contenteditable]");
    if (writes || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isGoing) {
      isGoing = false;
      goTo(event.key);
      return;
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("DOMContentLoaded", () => localizeTimes(document));
})();
