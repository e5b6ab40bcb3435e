"""Recognition by Vosk. A bad grammar or a wrong order of calls ends the process, so both are made here alone, in a process of its own."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vosk

from speech.audio import TELEPHONE_RATE, Pcm, Resampler
from speech.recogniser import CannotListen, Trust
from speech.segmentation import cut
from speech.transcript import UNKNOWN, Word

TRUST_FILE = "trust.json"
"""Beside the model's own files, where the benchmark of a model showed that its confidence misleads: the fields of `Trust`."""

_DEFAULT_RATE = 16000
_vosk: Any = vosk  # it carries no annotations


class VoskModel:
    """One model folder, loaded; needs some 50 MB for a small model."""

    def __init__(self, folder: Path, language: str) -> None:
        """Load the model. Raises CannotListen when the folder holds none that can be read."""
        _vosk.SetLogLevel(-1)
        self.language = language
        self.rate = fed_rate(folder)
        self._trust = trust_in(folder)
        try:
            self._model = _vosk.Model(str(folder))
        except Exception as problem:
            raise CannotListen(f"{folder} 不是可用的语音模型 / is no model that can be used: {problem}") from problem

    def knows(self, word: str) -> bool:
        """Whether the word stands in the model's list."""
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def recogniser(self, phrases: Sequence[str] | None) -> "VoskRecogniser":
        """One that hears these phrases alone, or with None every word of the model. Raises CannotListen when none can be heard."""
        if phrases is None:
            return VoskRecogniser(_vosk.KaldiRecognizer(self._model, float(self.rate)), self.rate, (), self._trust)
        found = cut(phrases, self.language, self.knows)
        if not found.phrases:
            raise CannotListen(f"模型不认识所给的任何一句 / the model knows none of the phrases: {'、'.join(found.dropped)}")
        grammar = json.dumps([*(" ".join(words) for words in found.phrases), UNKNOWN], ensure_ascii=False)
        return VoskRecogniser(_vosk.KaldiRecognizer(self._model, float(self.rate), grammar), self.rate, found.dropped, self._trust)


class VoskRecogniser:
    """One stream; the engine's own ends of utterances do not matter, whoever feeds it says where one ends."""

    def __init__(self, engine: Any, rate: int, dropped: tuple[str, ...], trust: Trust) -> None:
        self.dropped, self.trust = dropped, trust
        self._engine, self._rate = engine, rate
        self._resampler = self._fresh()
        self._words: list[Word] = []
        self._fed = self._before = 0  # samples of all utterances, and of those before this one: the engine's times go on
        engine.SetWords(True)

    def _fresh(self) -> Resampler | None:
        return None if self._rate == TELEPHONE_RATE else Resampler(TELEPHONE_RATE, self._rate)

    def feed(self, pcm: Pcm) -> None:
        """Take the next piece of an utterance, 8,000 samples a second."""
        self._accept(self._resampler.feed(pcm) if self._resampler else pcm)

    def _accept(self, pcm: Pcm) -> None:
        self._fed += len(pcm)
        try:
            ended = len(pcm) and self._engine.AcceptWaveform(pcm.tobytes())
        except Exception as problem:
            raise CannotListen(f"模型拒绝这段声音 / the model refuses this sound: {problem}") from problem
        if ended:
            self._words += self._read(self._engine.Result())

    def finish(self) -> tuple[Word, ...]:
        """The words of the utterance, in seconds from its first sample; what comes next is another utterance."""
        if self._resampler:
            self._accept(self._resampler.finish())
        words = tuple(self._words + self._read(self._engine.FinalResult()))
        self._engine.Reset()
        self._words, self._resampler, self._before = [], self._fresh(), self._fed
        return words

    def _read(self, result: str) -> list[Word]:
        shift = self._before / self._rate
        found = json.loads(result).get("result", [])
        return [Word(word["word"], word["start"] - shift, word["end"] - shift, min(word["conf"], 1.0)) for word in found]


def fed_rate(folder: Path) -> int:
    """The samples a second that the model in this folder takes: a telephone's where it says that it allows them, else its own."""
    text = "\n".join(path.read_text("utf-8", "replace") for path in (folder / "conf" / "mfcc.conf", folder / "mfcc.conf") if path.is_file())
    named = re.search(r"^--sample-frequency=(\d+)", text, re.M)
    rate = int(named[1]) if named else _DEFAULT_RATE
    allowed = re.search(r"^--allow-upsample=true\b", text, re.M)
    return TELEPHONE_RATE if allowed or rate <= TELEPHONE_RATE else rate


def trust_in(folder: Path) -> Trust:
    """How far the model in this folder is believed: as its `trust.json` says, which is ours and not the engine's. Raises CannotListen."""
    file = folder / TRUST_FILE
    if not file.is_file():
        return Trust()
    try:
        return Trust(**{name: float(value) for name, value in json.loads(file.read_text("utf-8")).items()})
    except (ValueError, TypeError, AttributeError) as problem:
        raise CannotListen(f"{file} 读不懂 / cannot be read: {problem}") from problem
