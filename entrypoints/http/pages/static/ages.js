// Shows the words of each <time data-age="for %"> with the time that has passed since, and keeps them so.
// Without a script the time itself stands there.
"use strict";
(() => {
  const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"], [1, "s", 1, ""]];
  let ahead = 0;

  function ageOf(seconds) {
    const [size, name, part, partName] = UNITS.find(([least]) => seconds >= least) || UNITS[3];
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)} ${name}` + (rest ? ` ${rest} ${partName}` : "");
  }

  function tick() {
    const now = Date.now() - ahead;
    for (const time of document.querySelectorAll("time[data-age]")) {
      const text = time.dataset.age.replace("%", ageOf(Math.max(0, (now - Date.parse(time.dateTime)) / 1000)));
      if (time.textContent !== text) time.textContent = text;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const server = document.getElementById("now");
    ahead = server ? Date.now() - server.value * 1000 : 0;
    tick();
  });
  document.addEventListener("htmx:after:swap", tick);
  setInterval(tick, 1000);
})();
