"use strict";
// The desk works without this script. It shows calls in the title, counts seconds, and gives keys to what the buttons do. The bell: ring.js.
(function () {
  var title = document.title;

  function offers() {
    return document.querySelectorAll("#board .offer").length;
  }

  function look() {
    var now = offers();
    document.title = now ? "(" + now + ") " + title : title;
  }

  // Seconds that pass between two refreshes.
  function count() {
    document.querySelectorAll("[data-count]").forEach(function (shown) {
      var step = shown.getAttribute("data-count") === "up" ? 1 : -1;
      shown.textContent = Math.max(0, Number(shown.textContent) + step);
    });
  }

  function press(selector) {
    var button = document.querySelector(selector);
    if (button) {
      button.click();
    }
    return Boolean(button);
  }

  var DEEDS = {
    A: "#board .offer .btn-primary", D: "#board .offer .btn-outline-secondary",
    H: "button[value=hold], button[value=unhold]", M: "button[value=mute], button[value=unmute]",
    B: "button[value=handed_back]", E: "button[value=ended]"
  };

  var chosen = false; // what was pressed is on its way: the next key would answer the same question, or the one after it

  document.addEventListener("keydown", function (event) {
    var key = event.key.toUpperCase();
    if (event.repeat) {
      return;
    }
    if (event.ctrlKey && event.shiftKey && DEEDS[key]) {
      if (press(DEEDS[key])) {
        event.preventDefault();
      }
    } else if (!chosen && /^[1-6]$/.test(window.singleKey(event))) {
      chosen = press(".asked-next button[data-key='" + event.key + "']");
    }
  });
  window.addEventListener("pageshow", function () { chosen = false; });

  document.addEventListener("htmx:afterSwap", look);
  setInterval(count, 1000);
  look();
})();
