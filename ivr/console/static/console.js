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

// Tick all rows of a list: the box is shown by this script, as it does nothing without it.
(function () {
  document.querySelectorAll("[data-tick-all]").forEach(function (all) {
    function boxes() {
      return Array.prototype.slice.call(document.querySelectorAll('input[type="checkbox"][form="' + all.dataset.tickAll + '"]'));
    }
    all.hidden = false;
    all.addEventListener("change", function () {
      boxes().forEach(function (box) {
        box.checked = all.checked;
      });
    });
    document.addEventListener("change", function (event) {
      var found = boxes();
      if (found.indexOf(event.target) >= 0) {
        var ticked = found.filter(function (box) {
          return box.checked;
        }).length;
        all.checked = ticked === found.length;
        all.indeterminate = ticked > 0 && ticked < found.length;
      }
    });
  });
})();
