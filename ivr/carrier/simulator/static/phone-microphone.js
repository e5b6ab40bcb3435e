"use strict";
// The audio thread's part of the microphone: brings its sound to 8 kHz and G.711 µ-law, in frames of 20 ms (160 bytes).
const RATE = 8000;
const FRAME = 160;

function mulaw(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const size = Math.min(Math.abs(Math.round(sample * 32767)), 32635) + 132;
  let exponent = 7;
  for (let mask = 0x4000; exponent > 0 && (size & mask) === 0; mask >>= 1) exponent -= 1;
  return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 0x0f)) & 0xff;
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.sum = 0;
    this.count = 0;
    this.due = 0;
    this.peak = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (!channel) return true;
    for (let at = 0; at < channel.length; at += 1) {
      this.sum += channel[at];
      this.count += 1;
      this.due += RATE;
      if (this.due >= sampleRate) {
        this.due -= sampleRate;
        this.take(this.sum / this.count);
        this.sum = 0;
        this.count = 0;
      }
    }
    return true;
  }

  take(sample) {
    this.frame[this.filled] = mulaw(sample);
    this.peak = Math.max(this.peak, Math.abs(sample));
    this.filled += 1;
    if (this.filled === FRAME) {
      this.port.postMessage({ frame: this.frame.buffer, peak: this.peak }, [this.frame.buffer]);
      this.frame = new Uint8Array(FRAME);
      this.filled = 0;
      this.peak = 0;
    }
  }
}

registerProcessor("microphone", Microphone);
