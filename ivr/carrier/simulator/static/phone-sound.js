"use strict";
// What the phone lets hear: the ring, key tones, the beep, and G.711 µ-law of 8 kHz from the line; and its microphone.
window.PhoneSound = (function () {
  const RATE = 8000;
  const LATEST = 0.35; // seconds that a living voice may lag behind
  const CUSHION = 0.06;
  const TONES = { 1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
    7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477] };
  const expanded = new Float32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const code = ~byte & 0xff;
    const size = ((((code & 0x0f) << 3) + 132) << ((code >> 4) & 7)) - 132;
    expanded[byte] = (code & 0x80 ? -size : size) / 32768;
  }
  let context = null;
  let ringer = null;
  let prompts = [];
  let speakers = {}; // by speaker: when what they said so far will have been heard
  let microphone = null;

  function wake() {
    if (!context) context = new AudioContext();
    return context.state === "suspended" ? context.resume() : Promise.resolve();
  }

  function isSilent() {
    return !context || context.state !== "running";
  }

  function tone(frequencies, at, seconds, loud) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(loud, at + 0.01);
    gain.gain.setValueAtTime(loud, at + seconds - 0.02);
    gain.gain.linearRampToValueAtTime(0, at + seconds);
    gain.connect(context.destination);
    frequencies.forEach(function (frequency) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(at);
      oscillator.stop(at + seconds);
    });
  }

  function ringOnce() {
    if (isSilent()) return;
    for (let turn = 0; turn < 8; turn += 1) tone(turn % 2 ? [620] : [520], context.currentTime + turn * 0.12, 0.12, 0.12);
  }

  function ring(isOn) {
    if (isOn === Boolean(ringer)) return;
    window.clearInterval(ringer);
    ringer = isOn ? window.setInterval(ringOnce, 2500) : null;
    if (isOn) ringOnce();
  }

  function play(bytes) {
    if (isSilent() || bytes.length < 3) return;
    const isLiving = bytes[0] === 1;
    const speaker = isLiving ? "speaker " + bytes[1] : "line";
    const now = context.currentTime;
    const free = speakers[speaker] || 0;
    if (isLiving && free > now + LATEST) return;
    const at = free > now ? free : now + (isLiving ? CUSHION : 0);
    const buffer = context.createBuffer(1, bytes.length - 2, RATE);
    const samples = buffer.getChannelData(0);
    for (let number = 2; number < bytes.length; number += 1) samples[number - 2] = expanded[bytes[number]];
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start(at);
    speakers[speaker] = at + buffer.duration;
    if (!isLiving) prompts.push(source);
    source.onended = function () { prompts = prompts.filter(function (each) { return each !== source; }); };
  }

  function hush() {
    prompts.forEach(function (source) { source.stop(); });
    prompts = [];
    speakers.line = 0;
  }

  function listen(heard) {
    const wishes = { audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
    return wake().then(function () { return navigator.mediaDevices.getUserMedia(wishes); }).then(function (stream) {
      microphone = { stream: stream, nodes: [] };
      return context.audioWorklet.addModule("/phone-microphone.js").then(function () { wire(stream, heard); });
    }).catch(function (problem) {
      deafen();
      throw problem;
    });
  }

  function wire(stream, heard) {
    const nodes = [context.createMediaStreamSource(stream)];
    [0.54, 1.31].forEach(function (q) { // a telephone's band: nothing above 3,400 Hz is left that would fold back
      const filter = context.createBiquadFilter();
      filter.type = "lowpass";
      filter.frequency.value = 3400;
      filter.Q.value = 20 * Math.log10(q);
      nodes.push(filter);
    });
    const worklet = new AudioWorkletNode(context, "microphone");
    worklet.port.onmessage = function (event) { heard(event.data.frame, event.data.peak); };
    nodes.push(worklet);
    nodes.reduce(function (from, to) { from.connect(to); return to; });
    worklet.connect(context.destination); // it puts nothing out, but is only run when somebody asks for its output
    microphone.nodes = nodes;
  }

  function deafen() {
    if (!microphone) return;
    microphone.stream.getTracks().forEach(function (track) { track.stop(); });
    microphone.nodes.forEach(function (node) { node.disconnect(); });
    microphone = null;
  }

  return {
    wake: wake, isSilent: isSilent, ring: ring, play: play, hush: hush, listen: listen, deafen: deafen,
    key: function (key) { if (!isSilent()) tone(TONES[key], context.currentTime, 0.14, 0.08); },
    beep: function () { if (!isSilent()) tone([1000], context.currentTime, 0.4, 0.12); },
  };
})();
