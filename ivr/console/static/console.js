"use strict";
// Everything works without this script. It keeps open details open while the progress refreshes,
// and stops refreshing while nobody looks.
(function () {
  var openBefore = [];

  function titlesOfOpenDetails(root) {
    return Array.prototype.map.call(root.querySelectorAll("details[open] > summary"), function (summary) {
      return summary.textContent;
    });
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (document.hidden) {
      event.preventDefault();
    }
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    openBefore = titlesOfOpenDetails(event.detail.target);
  });

  document.addEventListener("htmx:afterSettle", function () {
    document.querySelectorAll("#progress details > summary").forEach(function (summary) {
      summary.parentElement.open = openBefore.indexOf(summary.textContent) >= 0;
    });
  });
})();
