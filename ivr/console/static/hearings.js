"use strict";
// Everything works without this script. It lets digits choose what was heard and the space bar play the sound.
(function () {
  var TYPED_INTO = /^(INPUT|SELECT|TEXTAREA)$/;
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
    if (!audio || event.repeat || event.ctrlKey || event.altKey || event.metaKey || TYPED_INTO.test(event.target.tagName)) {
      return;
    }
    if (event.key === " " && !PRESSED.test(event.target.tagName)) {
      event.preventDefault();
      playOrPause(audio);
      return;
    }
    var button = /^[0-9]$/.test(event.key) && document.querySelector('.verdicts button[data-key="' + event.key + '"]');
    if (button && !chosen) {
      chosen = true;
      button.click();
    }
  });
})();
