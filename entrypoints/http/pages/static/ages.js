// Ages: the time that has passed by the server's clock. They are shown once a second.
// <time data-age="for %"> shows these words with its age; without a script the time itself stands there.
// <span data-since="TIME" data-usual="SECONDS"> shows how long a task runs, and how long it usually still does.
"use strict";
/** Show the ages below a node. */
let showAges;
(() => {
  const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"], [1, "s", 1, ""]];
  let ahead = 0;

  function words(seconds) {
    const [size, name, part, partName] = UNITS.find(([least]) => seconds >= least) || UNITS[3];
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)} ${name}` + (rest ? ` ${rest} ${partName}` : "");
  }

  function rest(left) {
    if (left > 0) return `, about ${words(Math.ceil(left))} left`;
    return left <= 0 ? ", longer than usual" : "";
  }

  const secondsSince = (time) => Math.max(0, (Date.now() - ahead - Date.parse(time)) / 1000);

  function show(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  showAges = (root) => {
    for (const time of root.querySelectorAll("time[data-age]")) {
      show(time, time.dataset.age.replace("%", words(secondsSince(time.dateTime))));
    }
    for (const run of root.querySelectorAll("[data-since]")) {
      const seconds = Math.floor(secondsSince(run.dataset.since));
      show(run, `for ${words(seconds)}${rest(run.dataset.usual - seconds)}`);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    ahead = Date.now() - document.getElementById("server-time").value * 1000;
    showAges(document);
  });
  document.addEventListener("htmx:after:swap", () => showAges(document));
  setInterval(() => showAges(document), 1000);
})();
