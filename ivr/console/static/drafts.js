"use strict";
// Forms keep drafts without this script, by a button. It saves what is typed within two seconds after the last key, says so, tries
// again when the desk cannot be reached, and saves what is left when the page is closed.
(function () {
  var PAUSE = 1000;
  var AGAIN = 5000;
  var LOGGED_OUT = 401;

  function keepDrafts(form) {
    var told = form.querySelector("[data-draft-told]");
    var touched = (form.dataset.drafted || "").split(" ").filter(Boolean);
    var timer = null;
    var dirty = false;
    var saving = false;
    var sent = false;

    function fields() {
      var all = new FormData(form);
      var some = new FormData();
      some.append("csrf_token", all.get("csrf_token"));
      some.append("by_script", "1");
      touched.forEach(function (name) {
        if (all.get(name) !== null) {
          some.append(name, all.get(name));
        }
      });
      return some;
    }

    function tell(text) {
      if (told && told.textContent !== text) {
        told.textContent = text;
      }
    }

    function plan(pause) {
      clearTimeout(timer);
      timer = setTimeout(save, pause);
    }

    function save() {
      if (!dirty || saving || sent) {
        return;
      }
      saving = true;
      dirty = false;
      fetch(form.dataset.draft, { method: "POST", body: fields(), credentials: "same-origin", redirect: "manual" }).then(function (answer) {
        if (answer.type === "opaqueredirect") { // to the log-in
          return Promise.reject(LOGGED_OUT);
        }
        return answer.ok ? answer.json() : Promise.reject(answer.status);
      }).then(function (answer) {
        tell(dirty ? form.dataset.unsaved : answer.saved);
        return PAUSE;
      }, function (status) {
        dirty = true;
        var isRefused = typeof status === "number" && status < 500; // it is tried with the next key, or when the form is sent
        tell(status === LOGGED_OUT ? form.dataset.loggedOut : isRefused ? form.dataset.refused : form.dataset.failed);
        return isRefused ? null : AGAIN;
      }).then(function (pause) {
        saving = false;
        if (dirty && pause !== null) {
          plan(pause);
        }
      });
    }

    function note(event) {
      var name = event.target.name;
      if (!name || event.target.type === "file" || event.target.type === "hidden") {
        return;
      }
      if (touched.indexOf(name) < 0) {
        touched.push(name);
      }
      dirty = true;
      tell(form.dataset.unsaved);
      plan(PAUSE);
    }

    form.addEventListener("input", note);
    form.addEventListener("change", note);
    form.addEventListener("submit", function () {
      sent = true;
      clearTimeout(timer);
    });
    window.addEventListener("pagehide", function () {
      if ((dirty || saving) && !sent && navigator.sendBeacon) {
        navigator.sendBeacon(form.dataset.draft, fields());
      }
    });
    window.addEventListener("pageshow", function () { sent = false; });
    var button = form.querySelector("[data-draft-button]");
    if (button) {
      button.hidden = true;
    }
  }

  document.querySelectorAll("form[data-draft]").forEach(keepDrafts);
})();
