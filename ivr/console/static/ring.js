"use strict";
// The bell of the desk: rings while a call is offered, in one tab of the browser alone, as loud as this browser was told. All tones of a
// ring are laid out beforehand, because timers of a tab in the background go slow; they end with the offer, or as soon as it is gone.
(function () {
  var VOLUME = "desk-volume", RINGER = "desk-ringer", GREETING = "desk-test-ring";
  var TONES = [[0, 880], [0.25, 660], [0.9, 880], [1.15, 660]];
  var ROUND = 3;
  var LOUDEST = 0.3;
  var SETTLED_AFTER = 1500; // until each tab has seen why another one fell silent
  var ON_DUTY = ["free", "busy", "talking", "wrapping"];

  var board = document.getElementById("board");
  var locked = document.getElementById("ring-locked");
  var knob = document.getElementById("ring-volume");
  var me = String(Math.random()).slice(2);
  var sound = null;
  var master = null;
  var bell = null;
  var contending = null;
  if (!board || !locked || !knob) {
    return;
  }

  function isOnDuty() {
    var duty = board.querySelector("[data-duty]");
    return Boolean(duty) && ON_DUTY.indexOf(duty.getAttribute("data-duty")) >= 0;
  }

  function isAudible() {
    return Boolean(sound) && sound.state === "running";
  }

  function unlock() {
    var Sound = window.AudioContext || window.webkitAudioContext;
    if (!Sound) {
      return;
    }
    if (!sound) {
      sound = new Sound();
      master = sound.createGain();
      master.connect(sound.destination);
      setVolume();
      sound.onstatechange = wake;
    }
    if (sound.state !== "running") {
      sound.resume().then(wake, function () { return null; });
    } else {
      wake();
    }
  }

  function wake() {
    locked.hidden = isAudible() || !isOnDuty();
    if (isAudible() && window.sessionStorage.getItem(GREETING) && isOnDuty()) {
      window.sessionStorage.removeItem(GREETING);
      play(1);
    }
    look();
  }

  function setVolume() {
    window.localStorage.setItem(VOLUME, knob.value);
    if (master) {
      master.gain.value = LOUDEST * knob.value / 100;
    }
  }

  // The tones of so many seconds from `begin` on; what comes back is disconnected to be silent at once.
  function play(seconds, begin, through) {
    var way = through || sound.createGain();
    way.connect(master);
    for (var at = begin || sound.currentTime; at < (begin || sound.currentTime) + seconds; at += ROUND) {
      for (var n = 0; n < TONES.length; n += 1) {
        var tone = sound.createOscillator();
        tone.frequency.value = TONES[n][1];
        tone.connect(way);
        tone.start(at + TONES[n][0]);
        tone.stop(at + TONES[n][0] + 0.22);
      }
    }
    return way;
  }

  function secondsLeft() {
    return Array.prototype.reduce.call(board.querySelectorAll(".offer"), function (most, offer) {
      return Math.max(most, Number(offer.getAttribute("data-left")));
    }, 0);
  }

  function look() {
    var seconds = secondsLeft();
    if (!seconds) {
      hush();
    } else if (bell && bell.until < sound.currentTime + seconds - ROUND) {
      play(sound.currentTime + seconds - bell.until, bell.until, bell.way);
      bell.until = sound.currentTime + seconds;
      hold(seconds);
    } else if (!bell && isAudible() && !contending && !isHeldByAnother()) {
      contending = setTimeout(contend, Math.random() * 100);
    }
  }

  function contend() {
    contending = setTimeout(ring, 80);
    if (!isHeldByAnother()) {
      hold(secondsLeft());
    }
  }

  function ring() {
    contending = null;
    var seconds = secondsLeft();
    if (seconds && !bell && holder().tab === me) {
      bell = { way: play(seconds), until: sound.currentTime + seconds };
      board.setAttribute("data-ringing", "yes");
    }
  }

  function hush() {
    if (bell) {
      bell.way.disconnect();
      bell = null;
      board.removeAttribute("data-ringing");
    }
    if (holder().tab === me) {
      window.localStorage.removeItem(RINGER);
    }
  }

  function holder() {
    return JSON.parse(window.localStorage.getItem(RINGER) || "{}");
  }

  function isHeldByAnother() {
    var held = holder();
    return Boolean(held.tab) && held.tab !== me && held.until > Date.now();
  }

  function hold(seconds) {
    window.localStorage.setItem(RINGER, JSON.stringify({ tab: me, until: Date.now() + seconds * 1000 }));
  }

  var kept = window.localStorage.getItem(VOLUME);
  if (kept !== null) {
    knob.value = kept;
  }
  document.getElementById("ring").hidden = false;
  knob.addEventListener("input", setVolume);
  document.getElementById("ring-test").addEventListener("click", function () {
    unlock();
    if (isAudible()) {
      play(1);
    }
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("button[name=state][value=on]")) {
      window.sessionStorage.setItem(GREETING, "yes");
    }
    unlock();
  });
  document.addEventListener("keydown", unlock);
  document.addEventListener("htmx:afterSwap", function () {
    locked.hidden = isAudible() || !isOnDuty();
    look();
  });
  window.addEventListener("storage", function (event) {
    if (event.key === RINGER && !event.newValue) {
      setTimeout(look, SETTLED_AFTER);
    }
  });
  window.addEventListener("pagehide", hush);
  if (isOnDuty()) {
    unlock();
  }
})();
