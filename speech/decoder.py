"""A process that hears many streams: `python -m speech.decoder --model zh=DIR --model en=DIR`.

It reads frames from its standard input and writes frames to its standard output (`speech.frames`), and ends when the input ends
or its parent does. With `--transcribe zh` it reads one WAV file instead and writes its words as JSON.
"""

import argparse
import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from speech import audio, frames
from speech.audio import TELEPHONE_RATE, NotSound, Pcm
from speech.endpoint import Gate, Kind
from speech.frames import Frame
from speech.recogniser import CannotListen, Model, Recogniser
from speech.transcript import Word
from speech.vosk_recogniser import VoskModel

PIECE_SECONDS = 0.1
"""Sound is collected up to this length before the engine gets it: each call has a price."""

NICENESS, NICENESS_OF_TRANSCRIPTION = 5, 10
"""Where processors are short, a pressed key is answered first, a spoken word a little later, and a recording is written down last."""

PARENT_GONE = 1
_PR_SET_PDEATHSIG = 1


class Stream:
    """One stream: finds its utterances and has each of them recognised."""

    def __init__(self, number: int, recogniser: Recogniser) -> None:
        self._number, self._recogniser = number, recogniser
        self._gate = Gate()
        self._position = 0
        self._pending: list[Pcm] = []
        self._sound: list[Pcm] = []
        self._spent = 0.0

    def feed(self, position: int, mulaw: bytes) -> Iterator[Frame]:
        """The utterances that end within this piece of sound, which begins `position` samples after the stream's first."""
        if position > self._position:
            self._gate.skip(position - self._position)
        self._position = position + len(mulaw)
        yield from self.hear(audio.mulaw_to_pcm(mulaw))

    def hear(self, pcm: Pcm) -> Iterator[Frame]:
        """The utterances that end within the next samples."""
        for heard in self._gate.feed(pcm):
            self._sound.append(heard.sound)
            self._pending.append(heard.sound)
            over = heard.kind in (Kind.ENDED, Kind.DROPPED)
            if over or sum(map(len, self._pending)) >= PIECE_SECONDS * TELEPHONE_RATE:
                self._decode()
            if over:
                words, sound, spent = self._finish(self._recogniser.trust.factor(heard.over_noise))
                if heard.kind is Kind.ENDED:
                    told = {"words": frames.listed(words, heard.began), "began": heard.began, "ended": heard.ended, "decoding": spent}
                    yield frames.heard(self._number, told, sound)

    def _decode(self) -> None:
        began = time.perf_counter()
        self._recogniser.feed(np.concatenate(self._pending))
        self._pending = []
        self._spent += time.perf_counter() - began

    def _finish(self, believed: float) -> tuple[tuple[Word, ...], bytes, float]:
        began = time.perf_counter()
        words = tuple(replace(word, confidence=word.confidence * believed) for word in self._recogniser.finish())
        spent = self._spent + time.perf_counter() - began
        sound = audio.pcm_to_mulaw(np.concatenate(self._sound))
        self._sound, self._spent = [], 0.0
        return words, sound, round(spent, 4)


class Decoder:
    """All streams of this process."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = models
        self._streams: dict[int, Stream] = {}

    def answer(self, frame: Frame) -> Iterator[Frame]:
        """What is to be said to a frame."""
        match frame.kind:
            case frames.Kind.OPEN:
                yield self._open(frame)
            case frames.Kind.SOUND if frame.stream in self._streams:
                yield from self._hear(frame)
            case frames.Kind.CLOSE:
                self._streams.pop(frame.stream, None)
            case frames.Kind.PING:
                yield Frame(frames.Kind.PONG, frame.stream)

    def _open(self, frame: Frame) -> Frame:
        told = frame.told()
        try:
            recogniser = self._models[told["language"]].recogniser(told["phrases"])
        except (CannotListen, KeyError) as problem:
            return frames.said(frames.Kind.REFUSED, frame.stream, {"reason": str(problem)})
        self._streams[frame.stream] = Stream(frame.stream, recogniser)
        return frames.said(frames.Kind.OPENED, frame.stream, {"dropped": recogniser.dropped})

    def _hear(self, frame: Frame) -> Iterator[Frame]:
        try:
            yield from self._streams[frame.stream].feed(*frames.sound_of(frame))
        except CannotListen as problem:  # one stream's fault is no other's
            print(f"stream {frame.stream}: {problem}", file=sys.stderr, flush=True)  # noqa: T201
            del self._streams[frame.stream]
            yield Frame(frames.Kind.BROKEN, frame.stream)


def serve(models: Mapping[str, Path], source: BinaryIO, sink: BinaryIO) -> None:
    """Load the models and answer frames until the input ends."""
    loaded, faults = load(models)
    decoder = Decoder(loaded)
    _say(sink, frames.said(frames.Kind.READY, 0, {"languages": sorted(loaded), "faults": faults}))
    while frame := frames.read(source):
        for answer in decoder.answer(frame):
            _say(sink, answer)


def load(models: Mapping[str, Path]) -> tuple[dict[str, Model], list[str]]:
    """The models that can be loaded, and why the others cannot."""
    loaded: dict[str, Model] = {}
    faults = []
    for language, folder in models.items():
        try:
            loaded[language] = VoskModel(folder, language)
        except CannotListen as problem:
            faults.append(str(problem))
    return loaded, faults


def _say(sink: BinaryIO, frame: Frame) -> None:
    sink.write(frame.packed())
    sink.flush()


def transcribe(model: Model, wav: bytes) -> dict[str, Any]:
    """The words of a WAV file, or the fault that it has."""
    try:
        found = audio.decode_wav(wav)
    except NotSound as problem:
        return {"not_sound": str(problem)}
    pcm = audio.resample(found.pcm, found.rate, TELEPHONE_RATE)
    recogniser = model.recogniser(None)
    for start in range(0, len(pcm), TELEPHONE_RATE):
        recogniser.feed(pcm[start : start + TELEPHONE_RATE])
    return {"words": frames.listed(recogniser.finish())}


def _transcribe(language: str, models: Mapping[str, Path], source: BinaryIO, sink: BinaryIO) -> None:
    loaded, faults = load(models)
    told = transcribe(loaded[language], source.read()) if language in loaded else {"fault": "; ".join(faults)}
    sink.write(json.dumps(told, ensure_ascii=False).encode())
    sink.flush()


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames alone: whatever a library prints goes to standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return source, sink


def _die_with_parent(parent: int) -> None:
    """Let the kernel end this process when its parent ends, however; elsewhere than on Linux the end of the input must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if parent and os.getppid() != parent:
            sys.exit(PARENT_GONE)


def _limit(seconds: int, memory_bytes: int) -> None:
    for which, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory_bytes)):
        if most:
            resource.setrlimit(which, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> None:
    """Be the process that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="LANGUAGE=FOLDER")
    parser.add_argument("--parent", type=int, default=0, help="process with which this one ends")
    parser.add_argument("--transcribe", metavar="LANGUAGE")
    parser.add_argument("--cpu-seconds", type=int, default=0)
    parser.add_argument("--memory-bytes", type=int, default=0)
    given = parser.parse_args(arguments)
    _die_with_parent(given.parent)
    _limit(given.cpu_seconds, given.memory_bytes)
    os.nice(NICENESS_OF_TRANSCRIPTION if given.transcribe else NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to answer
    models = {language: Path(folder) for language, _, folder in (one.partition("=") for one in given.model)}
    source, sink = _own_streams()
    if given.transcribe:
        _transcribe(given.transcribe, models, source, sink)
    else:
        serve(models, source, sink)


if __name__ == "__main__":
    main(sys.argv[1:])
