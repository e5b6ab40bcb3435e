"use strict";
// Everything works without this script. It lets digits choose what was heard and the space bar play the sound.
(function () {
  var PRESSED = /^(A|AUDIO|BUTTON|SUMMARY)$/;
  var chosen = false;

  function playOrPause(audio) {
    if (!audio.paused) {
      audio.pause();
      return;
    }
    var playing = audio.play();
    if (playing) {
      playing.catch(function () {});
    }
  }

  document.addEventListener("keydown", function (event) {
    var audio = document.querySelector(".listening audio");
    var key = window.singleKey(event);
    if (!audio || event.repeat || event.target.type === "checkbox") {
      return;
    }
    if (key === " " && !PRESSED.test(event.target.tagName)) {
      event.preventDefault();
      playOrPause(audio);
      return;
    }
    var button = /^[0-9]$/.test(key) && document.querySelector('.verdicts button[data-key="' + key + '"]');
    if (button && !chosen) {
      chosen = true;
      button.click();
    }
  });
})();
