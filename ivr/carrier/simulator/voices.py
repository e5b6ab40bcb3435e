"""The voices of callees: words to sound of 8 kHz, by eSpeak NG in a process of its own or from sound files, each made once."""

import importlib.util
import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ivr.carrier.simulator import line
from ivr.carrier.simulator.line import CLEAN, Degradation
from speech.audio import Pcm, decode_wav

log = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("espeak.py")
WHEEL = "espeakng_loader"
HEADER = struct.Struct("<II")
CHINESE = tuple(f"cmn+{variant}" for variant in ("f2", "m3", "f4", "m1", "f3", "m7"))
ENGLISH = ("en-us+f2", "en-us", "en-gb-x-rp", "en-us+m3", "en-gb-scotland", "en")
WORDS_A_MINUTE = {"zh": (200, 220, 240), "en": (150, 165, 180)}
PITCHES = (40, 50, 60)
PATIENCE_SECONDS = 20.0  # with the program, for one utterance
KEPT = 512  # utterances in memory


@dataclass(frozen=True)
class Voice:
    """Who speaks: a voice of eSpeak NG, words a minute, pitch from 0 to 99."""

    name: str
    speed: int
    pitch: int


@dataclass(frozen=True)
class Utterance:
    """Words in somebody's voice over a line; `seed` decides the line's noise."""

    text: str
    voice: Voice
    line: Degradation = CLEAN
    seed: str = ""


def voice_for(language: str, chance: float) -> Voice:
    """One of the voices of `zh` or `en`, for a chance in [0, 1)."""
    names, speeds = (CHINESE if language == "zh" else ENGLISH), WORDS_A_MINUTE[language]
    number = int(chance * len(names) * len(speeds) * len(PITCHES))
    number, name = divmod(number, len(names))
    number, speed = divmod(number, len(speeds))
    return Voice(names[name], speeds[speed], PITCHES[number])


@dataclass
class Voices:
    """Makes utterances. `sounds` are WAV files for certain texts; `folder` keeps what was made. Safe for use by many threads."""

    sounds: Mapping[str, Path] = field(default_factory=dict)
    folder: Path | None = None
    _made: OrderedDict[tuple[str, Voice], Pcm] = field(default_factory=OrderedDict)
    _program: "subprocess.Popen[bytes] | None" = None
    _is_mute: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def mulaw(self, utterance: Utterance, before: float = 0.0, after: float = 0.0) -> bytes | None:
        """The utterance as µ-law with seconds of quiet around it, None when there is no voice for it."""
        words = self.words(utterance.text, utterance.voice)
        if words is None:
            return None
        return line.mulaw(line.degraded(line.around(words, before, after), utterance.line, utterance.seed))

    def seconds(self, utterance: Utterance) -> float | None:
        """How long it takes to say, None when there is no voice for it."""
        words = self.words(utterance.text, utterance.voice)
        return None if words is None else len(words) / line.RATE

    def words(self, text: str, voice: Voice) -> Pcm | None:
        """The bare words on a perfect line, None when there is no voice for them."""
        with self._lock:
            if (text, voice) in self._made:
                self._made.move_to_end((text, voice))
                return self._made[text, voice]
            for source in (self._from_file, self._from_folder, self._synthesised):
                words = source(text, voice)
                if words is not None and len(words):
                    break
            else:
                return None
            self._made[text, voice] = words
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
            return words

    def close(self) -> None:
        """End the program; it is not started again."""
        with self._lock:
            self._is_mute = True
            self._stop()

    def _from_file(self, text: str, _: Voice) -> Pcm | None:
        path = self.sounds.get(text)
        return line.read_wav(path.read_bytes()) if path is not None else None

    def _from_folder(self, text: str, voice: Voice) -> Pcm | None:
        kept = self._place(text, voice)
        return decode_wav(kept.read_bytes()).pcm if kept is not None and kept.exists() else None

    def _place(self, text: str, voice: Voice) -> Path | None:
        return self.folder / f"{blake2b(repr((text, voice)).encode(), digest_size=12).hexdigest()}.wav" if self.folder else None

    def _synthesised(self, text: str, voice: Voice) -> Pcm | None:
        if self._is_mute or importlib.util.find_spec(WHEEL) is None:
            return None
        try:
            rate, samples = self._asked(text, voice)
        except (OSError, ValueError, struct.error) as problem:
            log.warning("no voice for callees: %s", type(problem).__name__, extra={"action": "simulator.mute"})
            self._is_mute = True
            self._stop()
            return None
        words = line.telephone_sound(samples, rate)
        if len(words) and (kept := self._place(text, voice)) is not None:
            unfinished = kept.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(line.wav_file(words))
            unfinished.replace(kept)
        return words

    def _asked(self, text: str, voice: Voice) -> tuple[int, Pcm]:
        if self._program is None:
            self._program = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},  # it is nobody's house
            )
        program = self._program
        assert program.stdin is not None
        assert program.stdout is not None
        watch = threading.Timer(PATIENCE_SECONDS, program.kill)
        watch.daemon = True
        watch.start()
        try:
            wish = {"text": text, "voice": voice.name, "speed": voice.speed, "pitch": voice.pitch}
            program.stdin.write(json.dumps(wish).encode() + b"\n")
            program.stdin.flush()
            rate, length = HEADER.unpack(program.stdout.read(HEADER.size))
            return rate, np.frombuffer(program.stdout.read(length), "<i2")
        finally:
            watch.cancel()

    def _stop(self) -> None:
        program, self._program = self._program, None
        if program is None:
            return
        assert program.stdin is not None
        assert program.stdout is not None
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()
