"use strict";
// Every page works without this script. It keeps one WebSocket for this tab, which says what has changed of what the page shows; the
// page fetches that by GET. Whatever happens to the socket, each part also refreshes itself every five seconds (hx-trigger).
(function () {
  var WAITS = [1000, 2000, 5000, 10000];
  var FEW_TRIES = 5;
  var SELDOM = 60000;
  var SILENT_AFTER = 4000;
  var TOLD_AFTER = 2000;
  var LOOK_EVERY = 250;
  var GLAD_FOR = 6000;

  var parts = document.querySelectorAll("[data-topic]");
  var lost = document.getElementById("live-lost");
  var back = document.getElementById("live-back");
  if (!parts.length || !lost || !back) {
    return;
  }

  var socket = null;
  var isHeard = false;
  var wasHeard = false;
  var shown = {};
  var failing = {};
  var tries = 0;
  var heardAt = 0;
  var lostAt = Date.now();
  var again = null;

  function address() {
    var topics = Array.prototype.map.call(parts, function (part) {
      return "topic=" + encodeURIComponent(part.getAttribute("data-topic"));
    });
    return location.protocol.replace("http", "ws") + "//" + location.host + "/live?" + topics.join("&");
  }

  function refresh(topic) {
    document.querySelectorAll("[data-topic]").forEach(function (part) {
      if ((!topic || part.getAttribute("data-topic") === topic) && window.htmx) {
        window.htmx.trigger(part, "changed");
      }
    });
  }

  function open() {
    again = null;
    var mine = new WebSocket(address());
    socket = mine;
    mine.onmessage = function (event) {
      if (socket !== mine) {
        return;
      }
      heardAt = Date.now();
      if (!isHeard) {
        isHeard = wasHeard = true;
        tries = 0;
        refresh();
      } else {
        var topic = JSON.parse(event.data).topic;
        if (topic) {
          refresh(topic);
        }
      }
      tell();
    };
    mine.onclose = function () {
      if (socket === mine) {
        lose(Date.now());
      }
    };
  }

  function lose(since) {
    var gone = socket;
    socket = null;
    if (isHeard) {
      isHeard = false;
      lostAt = since;
    }
    if (gone && gone.readyState < 2) {
      gone.close();
    }
    if (!again) {
      again = setTimeout(open, pause());
      tries += 1;
    }
  }

  // A page that never got a socket is refused for a reason that stays, as a wrong address in front of the console.
  function pause() {
    return !wasHeard && tries >= FEW_TRIES ? SELDOM : WAITS[Math.min(tries, WAITS.length - 1)];
  }

  function isFetched() {
    return !Object.keys(failing).some(function (id) { return document.getElementById(id); });
  }

  function tell() {
    var isWell = isHeard && isFetched();
    if (isWell && !lost.hidden) {
      lost.hidden = true;
      back.hidden = false;
      setTimeout(function () { back.hidden = true; }, GLAD_FOR);
    } else if (!isWell && lost.hidden && (!isFetched() || Date.now() - lostAt > TOLD_AFTER)) {
      back.hidden = true;
      lost.hidden = false;
    }
  }

  function isPart(element) {
    return element.hasAttribute("data-topic");
  }

  function note(part, isGood) {
    if (isPart(part)) {
      if (isGood) {
        delete failing[part.id];
      } else {
        failing[part.id] = true;
      }
      tell();
    }
  }

  // What an answer shows; each has a token of its own for the same form.
  function shows(answer) {
    return answer.replace(/(name="csrf_token" value=")[^"]*/g, "$1");
  }

  document.addEventListener("htmx:beforeOnLoad", function (event) {
    // A log-in that has run out leads to the log-in page, but not away from a form in which somebody is writing.
    if (event.detail.xhr.status === 401 && event.detail.elt.hasAttribute("data-stay")) {
      event.preventDefault();
    }
  });
  document.addEventListener("htmx:afterOnLoad", function (event) { // comes for refusals and errors too
    var status = event.detail.xhr.status;
    note(event.detail.elt, status >= 200 && status < 400);
  });
  ["htmx:sendError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, function (event) { note(event.detail.elt, false); });
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var part = event.detail.target;
    if (isPart(part) && event.detail.shouldSwap) {
      var now = shows(event.detail.serverResponse);
      event.detail.shouldSwap = shown[part.id] !== now;
      shown[part.id] = now;
    }
  });
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) {
      refresh();
    }
  });
  window.addEventListener("pagehide", function () {
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      lose(Date.now());
    }
  });

  setInterval(function () {
    if (socket && isHeard && Date.now() - heardAt > SILENT_AFTER) {
      lose(heardAt);
    }
    tell();
  }, LOOK_EVERY);
  open();
})();
