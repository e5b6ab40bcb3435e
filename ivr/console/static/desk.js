"use strict";
// The desk works without this script. It rings for a new call, shows calls in the title, says when the desk cannot be reached,
// and gives keys to what the buttons do.
(function () {
  var title = document.title;
  var waiting = 0;
  var sound = null;

  function offers() {
    return document.querySelectorAll("#board .offer").length;
  }

  function ring() {
    if (!sound || sound.state !== "running") {
      return;
    }
    [0, 0.25, 0.9, 1.15].forEach(function (at, n) {
      var tone = sound.createOscillator();
      var volume = sound.createGain();
      tone.frequency.value = n % 2 ? 660 : 880;
      volume.gain.value = 0.15;
      tone.connect(volume);
      volume.connect(sound.destination);
      tone.start(sound.currentTime + at);
      tone.stop(sound.currentTime + at + 0.22);
    });
  }

  function unlock() {
    var Sound = window.AudioContext || window.webkitAudioContext;
    if (!sound && Sound) {
      sound = new Sound();
    }
    if (sound && sound.state === "suspended") {
      sound.resume();
    }
  }

  function look() {
    var now = offers();
    if (now > waiting) {
      ring();
    }
    waiting = now;
    document.title = now ? "(" + now + ") " + title : title;
  }

  function setReachable(reachable) {
    var bar = document.getElementById("unreachable");
    if (bar) {
      bar.hidden = reachable;
    }
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

  document.addEventListener("keydown", function (event) {
    var key = event.key.toUpperCase();
    if (event.ctrlKey && event.shiftKey && DEEDS[key]) {
      if (press(DEEDS[key])) {
        event.preventDefault();
      }
    } else if (/^[1-6]$/.test(window.singleKey(event))) {
      press(".asked-next button[data-key='" + event.key + "']");
    }
  });

  document.addEventListener("click", unlock);
  document.addEventListener("htmx:afterSwap", function () { setReachable(true); look(); });
  document.addEventListener("htmx:sendError", function () { setReachable(false); });
  document.addEventListener("htmx:responseError", function () { setReachable(false); });
  look();
})();
