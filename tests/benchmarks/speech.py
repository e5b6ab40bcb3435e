"""How well and how fast a speech model hears recordings: yours, or those of any folder with a manifest.

    python -m tests.benchmarks.speech MODEL_DIR LANGUAGE FOLDER [--sound-seconds 20] [--streams 1 5 10 20 40] [--show]

FOLDER holds `manifest.tsv`, columns file, lang, text, speaker, kind, source; the files are WAV of any rate. Each recording is heard as
it is and as a telephone line would spoil it. *Its own texts*: the recogniser listens for the texts of the manifest, and hears right what
it hears word by word. *As answers*: for the texts that answer the shipped scripts' scale, yes-or-no or count as a score, it listens for
everything that the question allows, and what counts is the code that is taken. Right and wrong are what would be taken without asking
(confidence from `accept` on, 0.80); doubted would be asked back (from `confirm` on, 0.55); the rest is rejected: asked again. Swapped is
a wrong one that turns praise into blame, yes into no, or back. Then, in processes of their own, live streams that never stop talking.

A slow day is not a fault and fails nothing; an answer that is swapped is one, and ends this with status 1.
"""

import argparse
import asyncio
import csv
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speech import audio, frames
from speech.caution import cautious
from speech.decoder import Stream
from speech.decoders import Decoders, Hearing
from speech.meaning import Expectation, phrases, understand
from speech.segmentation import segment
from speech.transcript import Transcript
from speech.vosk_recogniser import VoskModel
from tests.speech.questions import question

ACCEPT, CONFIRM = 0.80, 0.55
SEED = 7
FRAME = 160
GOOD_P95 = 0.75
"""Seconds from the end of speech to the decision that count as prompt: the pause that ends an utterance is 0.35 of them."""

QUESTIONS = ("scale", "person")
"""Those of the shipped scripts that a manifest can answer: the ratings and scores, yes and no."""

PRAISE = {"very_satisfied", "satisfied", "yes"}
BLAME = {"very_dissatisfied", "dissatisfied", "no"}
CONDITIONS: dict[str, Callable[[audio.Pcm], audio.Pcm]] = {
    "clean": lambda pcm: pcm,
    "µ-law": lambda pcm: pcm,
    "300-3400 Hz": lambda pcm: audio.band_limit(pcm, audio.TELEPHONE_RATE),
    "noise 35 dB": lambda pcm: audio.add_noise(audio.band_limit(pcm, audio.TELEPHONE_RATE), 35, SEED),
    "noise 30 dB": lambda pcm: audio.add_noise(audio.band_limit(pcm, audio.TELEPHONE_RATE), 30, SEED),
    "noise 20 dB": lambda pcm: audio.add_noise(audio.band_limit(pcm, audio.TELEPHONE_RATE), 20, SEED),
    "noise 10 dB": lambda pcm: audio.add_noise(audio.band_limit(pcm, audio.TELEPHONE_RATE), 10, SEED),
}
"""All but the first are companded as well; `clean` keeps 16 bits. How noise lessens confidence is the model's own `trust.json`, or what
`speech.recogniser.Trust` assumes: whoever brings a model measures it here first, and writes that file where answers are swapped."""


@dataclass(frozen=True)
class Sample:
    """A recording at 8 kHz, between two silences, and what is said in it."""

    text: str
    pcm: audio.Pcm


def samples(folder: Path, language: str) -> list[Sample]:
    """The manifest's recordings of one language."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["lang"] == language]
    return [Sample(row["text"], _telephone((folder / row["file"]).read_bytes())) for row in rows]


def _telephone(wav: bytes) -> audio.Pcm:
    found = audio.decode_wav(wav)
    pcm = audio.resample(found.pcm, found.rate, audio.TELEPHONE_RATE).astype(np.float64)
    level = 9000 / max(float(np.abs(pcm).max()), 1.0)  # as loud as people are on a line
    pause = np.zeros(audio.TELEPHONE_RATE * 6 // 10)
    return np.concatenate([pause, pcm * level, pause]).astype(np.int16)


class Ear:
    """One model, listening for one set of phrases, sample by sample."""

    def __init__(self, model: VoskModel, expected: Iterable[str]) -> None:
        self._recogniser = model.recogniser(list(expected))
        self.dropped = self._recogniser.dropped
        self.sound = self.spent = 0.0

    def heard(self, pcm: audio.Pcm, companded: bool) -> Transcript:
        """The first utterance with words, through the same gate as in a call."""
        stream = Stream(1, self._recogniser)
        began = time.perf_counter()
        pieces = [pcm[start : start + FRAME] for start in range(0, len(pcm), FRAME)]
        if companded:
            found = [frame for n, piece in enumerate(pieces) for frame in stream.feed(n * FRAME, audio.pcm_to_mulaw(piece))]
        else:
            found = [frame for piece in pieces for frame in stream.hear(piece)]
        self.sound += len(pcm) / audio.TELEPHONE_RATE
        self.spent += time.perf_counter() - began
        words = [frames.words_of(frames.heard_of(frame)[0]["words"]) for frame in found]
        return Transcript(next((one for one in words if one), ()))


Verdict = tuple[str, bool]
"""(right, doubted, rejected or wrong; whether it is a swap)."""


def judge(taken: object, meant: object, confidence: float, is_swap: bool) -> Verdict:
    if taken is None or confidence < CONFIRM:
        return "rejected", False
    if confidence < ACCEPT:
        return "doubted", False
    return ("right", False) if taken == meant else ("wrong", is_swap)


def as_texts(ear: Ear, language: str, model: VoskModel, heard: Transcript, meant: str) -> Verdict:
    said = " ".join(segment(meant, language, model.knows))
    swap = _opposite(_side_of_text(heard.text, language), _side_of_text(meant, language))
    return judge(heard.text or None, said, heard.confidence, swap)


def _side_of_text(text: str, language: str) -> int:
    codes = (understand(text, question(language, name)).code for name in QUESTIONS)
    return next((side for side in map(_side, codes) if side), 0)


def _side(code: str | None) -> int:
    return 1 if code in PRAISE else -1 if code in BLAME else 0


def _opposite(one: int, other: int) -> bool:
    return one * other < 0


def table(title: str, rows: dict[str, list[Verdict]]) -> int:
    """Print shares by condition; the number of swaps."""
    print(f"\n{title}")
    print(f"  {'':12} {'n':>5} {'right':>7} {'doubted':>8} {'rejected':>9} {'wrong':>7} {'swapped':>8}")
    swaps = 0
    for name, verdicts in rows.items():
        count, swapped = Counter(word for word, _ in verdicts), sum(swap for _, swap in verdicts)
        shares = [f"{100 * count[word] / max(len(verdicts), 1):.0f} %" for word in ("right", "doubted", "rejected", "wrong")]
        print(f"  {name:12} {len(verdicts):5} {shares[0]:>7} {shares[1]:>8} {shares[2]:>9} {shares[3]:>7} {swapped:8}")
        swaps += swapped
    return swaps


def accuracy(model: VoskModel, language: str, found: Sequence[Sample], show: bool) -> int:
    """Both tables; the number of swaps among the answers."""
    ear = Ear(model, dict.fromkeys(sample.text for sample in found))
    usable = [sample for sample in found if sample.text not in ear.dropped]
    if ear.dropped:
        print(f"  not words of this model, left out: {', '.join(ear.dropped)}")
    by_text: dict[str, list[Verdict]] = {}
    for name, spoil in CONDITIONS.items():
        heard = [(sample, ear.heard(spoil(sample.pcm), name != "clean")) for sample in usable]
        by_text[name] = [as_texts(ear, language, model, one, sample.text) for sample, one in heard]
    table("its own texts", by_text)
    print(f"  {ear.spent / ear.sound:.4f} s of processor for a second of sound, pauses included")
    return answers(model, language, found, show)


def answers(model: VoskModel, language: str, found: Sequence[Sample], show: bool) -> int:
    """The table of those texts that answer one of the shipped questions."""
    swaps = 0
    for name in QUESTIONS:
        expected = question(language, name)
        meant = [(sample, understand(sample.text, expected).code) for sample in found]
        usable = [(sample, code) for sample, code in meant if code in {choice.code for choice in expected.choices}]
        if usable:
            swaps += _answers(model, f"as answers to “{name}”", expected, usable, show)
        else:
            print(f"\nno text of the manifest answers “{name}”")
    return swaps


def _answers(model: VoskModel, title: str, expected: Expectation, usable: Sequence[tuple[Sample, str | None]], show: bool) -> int:
    began = time.perf_counter()
    ear = Ear(model, phrases(expected))
    opened = time.perf_counter() - began
    rows: dict[str, list[Verdict]] = {}
    for name, spoil in CONDITIONS.items():
        rows[name] = []
        for sample, code in usable:
            heard = ear.heard(spoil(sample.pcm), name != "clean")
            meaning = cautious(understand(heard, expected), heard, expected)
            verdict = judge(meaning.code, code, meaning.confidence, _opposite(_side(meaning.code), _side(code)))
            rows[name].append(verdict)
            if show and verdict[0] != "right":
                print(f"  {name:12} {sample.text} → {heard.text or '—'} ({heard.confidence:.2f}) {meaning.code}: {verdict[0]}")
    swaps = table(title, rows)
    print(f"  {ear.spent / ear.sound:.4f} s of processor for a second of sound; listening opened in {1000 * opened:.0f} ms")
    return swaps


def unbound(model: VoskModel, found: Sequence[Sample]) -> None:
    """The price of every word of the model, as remarks are written down."""
    recogniser = model.recogniser(None)
    pcm = np.concatenate([sample.pcm for sample in found])
    began = time.perf_counter()
    for start in range(0, len(pcm), audio.TELEPHONE_RATE):
        recogniser.feed(pcm[start : start + audio.TELEPHONE_RATE])
    recogniser.finish()
    print(f"\nfull vocabulary: {(time.perf_counter() - began) * audio.TELEPHONE_RATE / len(pcm):.3f} s of processor for a second of sound")


async def live(model: Path, language: str, found: Sequence[Sample], numbers: Sequence[int], seconds: float) -> None:
    """Streams in real time, in one process and in two."""
    expected = phrases(question(language, "scale"))
    print(f"\nlive, {seconds:.0f} s each; seconds from the end of speech to the utterance, of which the pause is 0.35")
    print(f"  {'processes':>9} {'streams':>8} {'utterances':>11} {'p50':>6} {'p95':>6} {'processor':>10} {'memory':>8}")
    for processes in (1, 2):
        best = 0
        async with Decoders({language: model}, processes) as decoders:
            for count in numbers:
                late, share = await _crowd(decoders, language, expected, found, count, seconds)
                if not late:
                    continue
                p50, p95 = np.percentile(late, [50, 95])
                best = count if p95 <= GOOD_P95 else best
                memory = max(_resident(pid) for pid in decoders.pids)
                print(f"  {processes:9} {count:8} {len(late):11} {p50:6.2f} {p95:6.2f} {100 * share:8.0f} % {memory:5.0f} MB")
        print(f"  at most {best} of these numbers of streams with p95 ≤ {GOOD_P95} s, {best / processes:.0f} a process")


async def _crowd(
    decoders: Decoders, language: str, expected: Sequence[str], found: Sequence[Sample], count: int, seconds: float
) -> tuple[list[float], float]:
    hearings = [await decoders.open(language, expected) for _ in range(count)]
    late: list[float] = []
    began, used = time.perf_counter(), sum(map(_processor, decoders.pids))
    await asyncio.gather(*(_talk(one, found, random.Random(n), seconds, late) for n, one in enumerate(hearings)))
    share = (sum(map(_processor, decoders.pids)) - used) / (time.perf_counter() - began)
    for hearing in hearings:
        await hearing.close()
    return late, share


async def _talk(hearing: Hearing, found: Sequence[Sample], chance: random.Random, seconds: float, late: list[float]) -> None:
    """Say one sample after the other in real time."""
    await asyncio.sleep(chance.random() / 2)
    began = time.perf_counter()

    async def listen() -> None:
        while utterance := await hearing.next():
            late.append(time.perf_counter() - began - utterance.ended)

    ears = asyncio.create_task(listen())
    sent = 0
    while sent < seconds * audio.TELEPHONE_RATE:
        mulaw = audio.pcm_to_mulaw(chance.choice(found).pcm)
        for start in range(0, len(mulaw), FRAME):
            await hearing.feed(mulaw[start : start + FRAME])
            sent += len(mulaw[start : start + FRAME])
            await asyncio.sleep(began + sent / audio.TELEPHONE_RATE - time.perf_counter())
    await asyncio.sleep(0.5)
    ears.cancel()


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _processor(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / float(os.sysconf("SC_CLK_TCK"))


def main(arguments: Sequence[str]) -> int:
    """Measure; status 1 when an answer was swapped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("language", choices=("zh", "en"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sound-seconds", type=float, default=20, help="live seconds for each number of streams; 0: none")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 5, 10, 20, 40])
    parser.add_argument("--show", action="store_true", help="print every answer that was not taken right")
    given = parser.parse_args(arguments)
    found = samples(given.folder, given.language)
    if not found:
        parser.error(f"{given.folder}/manifest.tsv has no recording in {given.language}")
    began = time.perf_counter()
    model = VoskModel(given.model, given.language)
    print(f"{given.model}: loaded in {time.perf_counter() - began:.2f} s, fed at {model.rate} Hz; {len(found)} recordings")
    swaps = accuracy(model, given.language, found, given.show)
    unbound(model, found)
    if given.sound_seconds:
        asyncio.run(live(given.model, given.language, found, given.streams, given.sound_seconds))
    print(f"\nanswers swapped: {swaps}")
    return 1 if swaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
