"use strict";
// Everything works without this script. It keeps open details open and the focus where it is while a part of the page refreshes, puts
// that off while a button in it is pressed, stops it while nobody looks (but for the desk, which must ring, and for a call in hand, whose
// operator would be logged out in the middle of the talk), and gives the page's single keys: "?" lists them, and all can be switched off
// (WCAG 2.1.4).
(function () {
  var openBefore = [];
  var focusedBefore = null;

  function titlesOfOpenDetails(root) {
    return Array.prototype.map.call(root.querySelectorAll("details[open] > summary"), function (summary) {
      return summary.textContent;
    });
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (document.hidden && !event.target.hasAttribute("data-ring") && !event.target.hasAttribute("data-even-hidden")) {
      event.preventDefault();
    }
  });

  function isSame(one, other) {
    var form = one.form, otherForm = other.form;
    return one.tagName === other.tagName && one.name === other.name && one.value === other.value && one.id === other.id
      && one.getAttribute("href") === other.getAttribute("href")
      && (form ? form.getAttribute("action") : "") === (otherForm ? otherForm.getAttribute("action") : "")
      && (one.name || form || one.textContent === other.textContent);
  }

  function focusAgain(gone) {
    var isLost = gone && !document.contains(gone) && (!document.activeElement || document.activeElement === document.body);
    var found = isLost && Array.prototype.filter.call(document.querySelectorAll(gone.tagName), function (one) {
      return isSame(one, gone);
    })[0];
    if (found) {
      found.focus({ preventScroll: true });
    }
  }

  // A button that is replaced between its press and its release is not clicked: the part waits until the button is released. A release
  // outside of the window is never heard of.
  var LONGEST_PRESS = 3000;
  var pressed = null;
  var passedOver = null;
  var forgetting = null;

  function press(event) {
    pressed = event.button === 0 ? event.target.closest("a, button, input, label, summary") : null;
    clearTimeout(forgetting);
    forgetting = setTimeout(release, LONGEST_PRESS);
  }

  function release() {
    clearTimeout(forgetting);
    pressed = null;
    if (passedOver && window.htmx) {
      window.htmx.trigger(passedOver, "changed");
    }
    passedOver = null;
  }

  document.addEventListener("pointerdown", press);
  ["pointerup", "pointercancel", "contextmenu"].forEach(function (name) {
    document.addEventListener(name, function () { setTimeout(release, 0); });
  });
  window.addEventListener("blur", release);

  document.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target;
    if (pressed && target.contains(pressed) && event.detail.requestConfig.verb === "get") {
      event.detail.shouldSwap = false;
      passedOver = event.detail.elt;
      return;
    }
    openBefore = titlesOfOpenDetails(target);
    focusedBefore = target.contains(document.activeElement) ? document.activeElement : null;
  });

  document.addEventListener("htmx:afterSettle", function () {
    document.querySelectorAll("#progress details > summary, #course details > summary").forEach(function (summary) {
      summary.parentElement.open = openBefore.indexOf(summary.textContent) >= 0;
    });
    focusAgain(focusedBefore);
    focusedBefore = null;
  });

  // What is wider than its place scrolls by the arrow keys, so Tab must reach it: not by itself in Chromium before 130.
  function reachScrollers() {
    document.querySelectorAll(".table, .sheet-scroll, .histogram").forEach(function (one) {
      if (one.scrollWidth > one.clientWidth + 1) {
        one.tabIndex = 0;
      } else {
        one.removeAttribute("tabindex");
      }
    });
  }

  window.addEventListener("resize", reachScrollers);
  document.addEventListener("htmx:afterSettle", reachScrollers);
  reachScrollers();

  // Files that are too large together would be refused with everything that was typed beside them.
  document.addEventListener("change", function (event) {
    var most = event.target.dataset ? Number(event.target.dataset.mostMegabytes) : 0;
    if (most) {
      var size = Array.prototype.reduce.call(event.target.files, function (sum, one) { return sum + one.size; }, 0);
      event.target.setCustomValidity(size > most * 1024 * 1024 ? event.target.dataset.tooLarge : "");
      event.target.reportValidity();
    }
  });

  // single keys

  var SINGLE_KEYS = "single-keys";
  var TYPED_INTO = /^(INPUT|SELECT|TEXTAREA)$/;
  var PRESSED = /^(radio|checkbox)$/;

  function areKeysOn() {
    return window.localStorage.getItem(SINGLE_KEYS) !== "off";
  }

  function isTyping(target) {
    return TYPED_INTO.test(target.tagName) && !PRESSED.test(target.type);
  }

  // The key, where it is one that the page may take: alone, not typed into a field, and not switched off.
  window.singleKey = function (event) {
    return areKeysOn() && !event.ctrlKey && !event.altKey && !event.metaKey && !isTyping(event.target) ? event.key : "";
  };

  function listKeys() {
    var list = document.querySelector("details.keys");
    if (list) {
      list.open = true;
      list.querySelector("summary").focus();
    }
    return Boolean(list);
  }

  function goTo(key) {
    var wanted = /^[a-z]$/.test(key) && document.querySelector('[data-shortcut="' + key + '"]');
    if (wanted && wanted.tagName === "BUTTON") {
      wanted.click();
    } else if (wanted) {
      wanted.focus();
    }
    return Boolean(wanted);
  }

  document.addEventListener("keydown", function (event) {
    var key = window.singleKey(event);
    if (key && !event.repeat && (key === "?" ? listKeys() : goTo(key))) {
      event.preventDefault();
    }
  });

  var box = document.getElementById("single-keys");
  if (box) {
    box.checked = areKeysOn();
    box.addEventListener("change", function () {
      window.localStorage.setItem(SINGLE_KEYS, box.checked ? "on" : "off");
    });
  }
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
