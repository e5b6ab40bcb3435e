"use strict";
(function () {
  const body = document.body;
  const words = JSON.parse(body.dataset.words);
  const sound = window.PhoneSound;
  const title = document.title;
  const KEYS = "1234567890*#";
  const AGAIN_AFTER = 700; // ms, when the connection is lost
  const at = {};
  ["status", "peer", "timer", "recording", "problem", "take-back", "ringing", "answer", "decline", "keypad", "hang-up", "dialler", "to",
    "lines", "nothing", "microphone", "microphone-state", "level", "silent", "keys-on"].forEach(function (id) { at[id] = document.getElementById(id); });
  const keys = Array.from(document.querySelectorAll(".key"));
  let socket = null;
  let state = { call: null, real: true, bureau: "" };
  let link = "connecting"; // connecting, open, lost, replaced
  let began = 0;
  let listening = false;

  function connect() {
    link = link === "lost" ? "lost" : "connecting";
    socket = new WebSocket(body.dataset.address + "?number=" + encodeURIComponent(body.dataset.number));
    socket.binaryType = "arraybuffer";
    socket.onmessage = take;
    socket.onclose = function () {
      if (link !== "replaced") {
        link = "lost";
        window.setTimeout(connect, AGAIN_AFTER);
      }
      render();
    };
    render();
  }

  function take(message) {
    if (typeof message.data !== "string") {
      sound.play(new Uint8Array(message.data));
      return;
    }
    const told = JSON.parse(message.data);
    if (told.event === "state") accept(told);
    if (told.event === "clock") state.real = told.real;
    if (told.event === "hush") sound.hush();
    if (told.event === "replaced") link = "replaced";
    if (told.event === "problem") complain(words[told.what] || told.what);
    render();
  }

  function accept(told) {
    const before = state.call || {};
    const call = told.call || {};
    link = "open";
    state = told;
    if (call.recording && !before.recording) sound.beep();
    if (call.phase === "talking" && (before.phase !== "talking" || before.sid !== call.sid)) complain("");
    if (call.phase !== "talking" && before.phase === "talking") sound.hush();
    began = performance.now() - (call.seconds || 0) * 1000;
    if (!at.to.value) at.to.value = told.bureau || (call.peer || "");
  }

  function say(wish) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(wish));
  }

  function complain(text) {
    at.problem.textContent = text;
    at.problem.hidden = !text;
  }

  function phase() {
    return link === "open" && state.call ? state.call.phase : "";
  }

  function statusText() {
    if (link !== "open") return words[link];
    const call = state.call;
    if (!call) return state.real ? words.waiting : words.virtual;
    if (call.phase === "over") return (words[call.status] || words.over) + (state.real ? "" : " · " + words.virtual);
    if (call.phase === "talking" && call.joined.length) return words.joined + call.joined.join(", ");
    return words[call.is_outgoing ? "calling" : call.phase];
  }

  function render() {
    const now = phase();
    const isLive = now === "ringing" || now === "talking";
    setText(at.status, statusText());
    setText(at.peer, now ? state.call.peer : "");
    at.recording.hidden = !(now === "talking" && state.call.recording);
    at["take-back"].hidden = link !== "replaced";
    const wasHidden = at.ringing.hidden;
    at.ringing.hidden = now !== "ringing";
    at["hang-up"].hidden = now !== "talking";
    at.dialler.hidden = isLive || link !== "open";
    keys.forEach(function (key) { key.disabled = now !== "talking"; });
    body.classList.toggle("is-ringing", now === "ringing");
    if (wasHidden && !at.ringing.hidden) at.answer.focus();
    sound.ring(now === "ringing");
    document.title = now === "ringing" ? "(1) " + words.ringing + " " + state.call.peer : title;
    at.silent.hidden = !sound.isSilent();
    renderLines(state.call ? state.call.lines : []);
    tick();
  }

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function renderLines(lines) {
    const list = at.lines;
    if (list.dataset.call !== (state.call ? state.call.sid : "") || list.children.length > lines.length) list.textContent = "";
    list.dataset.call = state.call ? state.call.sid : "";
    lines.slice(list.children.length).forEach(function (line) {
      const item = document.createElement("li");
      const by = document.createElement("b");
      item.className = line.by;
      by.textContent = words[line.by];
      item.appendChild(by);
      item.appendChild(document.createTextNode(line.text));
      list.appendChild(item);
      list.scrollTop = list.scrollHeight;
    });
    at.nothing.hidden = lines.length > 0;
  }

  function tick() {
    const seconds = Math.max(0, Math.floor((performance.now() - began) / 1000));
    const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    if (phase() !== "over") setText(at.timer, phase() === "talking" ? text : "");
  }

  function press(key) {
    if (phase() !== "talking") return;
    sound.key(key);
    say({ do: "key", key: key });
    const button = keys.find(function (each) { return each.dataset.key === key; });
    button.classList.add("is-pressed");
    window.setTimeout(function () { button.classList.remove("is-pressed"); }, 150);
  }

  function hangUp() {
    say({ do: "hang up" });
  }

  function onKey(event) {
    if (!at["keys-on"].checked || event.ctrlKey || event.altKey || event.metaKey || event.target.type === "text") return;
    if (event.key === "Escape" && (phase() === "talking" || phase() === "ringing")) hangUp();
    else if (KEYS.includes(event.key) && !event.repeat) press(event.key);
    else return;
    event.preventDefault();
  }

  function microphoneText(name) {
    setText(at["microphone-state"], words["microphone " + name]);
    at.microphone.textContent = words[listening ? "turn off" : "turn on"];
    if (!listening) light(0);
  }

  function light(peak) {
    const lit = Math.ceil(Math.min(1, peak * 3) * 5);
    Array.from(at.level.children).forEach(function (bar, number) { bar.classList.toggle("is-lit", number < lit && peak > 0.01); });
  }

  function heard(frame, peak) {
    light(peak);
    if (phase() === "talking" && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < 8000) socket.send(frame);
  }

  function toggleMicrophone() {
    if (listening) {
      sound.deafen();
      listening = false;
      microphoneText("off");
      return;
    }
    microphoneText("asking");
    sound.listen(heard).then(function () {
      listening = true;
      microphoneText("on");
    }).catch(function (problem) {
      microphoneText(problem.name === "NotFoundError" ? "missing" : "denied");
    });
  }

  function wakeSound() {
    sound.wake().then(function () { at.silent.hidden = !sound.isSilent(); });
  }

  at.answer.onclick = function () { say({ do: "answer" }); };
  at.decline.onclick = at["hang-up"].onclick = hangUp;
  at["take-back"].onclick = connect;
  at.microphone.onclick = toggleMicrophone;
  keys.forEach(function (key) { key.onclick = function () { press(key.dataset.key); }; });
  at.dialler.onsubmit = function (event) {
    event.preventDefault();
    complain("");
    say({ do: "dial", to: at.to.value.trim() });
  };
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", wakeSound);
  document.addEventListener("keydown", wakeSound);
  if (!navigator.mediaDevices || !window.AudioWorkletNode) {
    at.microphone.disabled = true;
    microphoneText("insecure");
  }
  window.setInterval(tick, 500);
  connect();
})();
