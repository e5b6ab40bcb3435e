import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from speech import audio
from speech.decoders import BACKLOG_SECONDS, Decoders, Hearing, Unavailable, Utterance
from speech.decoding_process import Pace
from tests.speech.spoken import MODELS, PHRASES, said

QUICK = Pace(loading=10, answer=1.0, asking=0.1, pause=0.05, longest_pause=0.2)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 60))


async def say(hearing: Hearing, name: str, piece: int = 160) -> None:
    mulaw = audio.pcm_to_mulaw(said(name))
    for start in range(0, len(mulaw), piece):
        await hearing.feed(mulaw[start : start + piece])


async def until(truth: Callable[[], bool]) -> None:
    while not truth():
        await asyncio.sleep(0.01)


async def asked(hearing: Hearing, name: str) -> Utterance:
    await say(hearing, name)
    found = await hearing.next()
    assert found
    return found


def test_two_languages_on_many_streams_are_heard_apart() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 2) as decoders:
            assert decoders.languages == {"zh", "en"}
            zh = [await decoders.open("zh", PHRASES["zh"]) for _ in range(6)]
            en = [await decoders.open("en", PHRASES["en"]) for _ in range(6)]

            heard = await asyncio.gather(*(asked(one, "dissatisfied-zh") for one in zh), *(asked(one, "three-en") for one in en))

            assert [one.transcript.text for one in heard] == ["不 满意"] * 6 + ["three"] * 6
            for one in (*zh, *en):
                await one.close()
            assert decoders.streams == 0

    run(scene())


def test_an_utterance_brings_its_times_and_its_sound() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1) as decoders:
            hearing = await decoders.open("en", PHRASES["en"])

            first, second = await asked(hearing, "three-en"), await asked(hearing, "not-satisfied-en")

            assert [first.transcript.text, second.transcript.text] == ["three", "not satisfied"]
            length = len(said("three-en")) / 8000
            assert 0.2 <= first.began < 0.55 < first.ended < length < second.began < second.ended
            assert all(second.began < word.start < word.end < second.ended + 0.2 for word in second.transcript.words)
            assert len(first.sound) / 8000 == pytest.approx(first.ended + 0.35 - first.began, abs=0.05)
            assert 0 < first.decoding_seconds < 5

    run(scene())


def test_on_a_noisy_line_no_word_is_certain() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1) as decoders:
            hearing = await decoders.open("en", PHRASES["en"])
            for snr in (50, 30, 10):
                await hearing.feed(audio.pcm_to_mulaw(audio.add_noise(said("not-satisfied-en", 2.0), snr, 5)))
                found = await hearing.next()
                while found and not found.transcript.words:  # noise that begins is taken for a sound at first
                    found = await hearing.next()
                assert found
                assert found.transcript.text == "not satisfied"
                assert (found.transcript.confidence < 0.8) is (snr < 50)

    run(scene())


def test_phrases_that_the_model_lacks_are_told_and_those_it_cannot_hear_at_all_refused() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1) as decoders:
            assert (await decoders.open("en", ["yes", "perhaps tomorrow"])).dropped == ("perhaps tomorrow",)
            with pytest.raises(Unavailable, match="knows none"):
                await decoders.open("en", ["也许"])
            with pytest.raises(Unavailable, match="fr"):
                await decoders.open("fr", ["oui"])
            assert decoders.streams == 1

    run(scene())


def test_a_closed_hearing_ends_and_takes_nothing_more() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1) as decoders:
            hearing = await decoders.open("en", ["yes"])
            waiting = asyncio.create_task(hearing.next())
            await asyncio.sleep(0)
            await hearing.close()

            assert await waiting is None
            await hearing.feed(b"\xff" * 160)
            await hearing.close()
            assert await hearing.next() is None

    run(scene())


def test_without_models_nobody_listens() -> None:
    async def scene() -> None:
        async with Decoders({}, 2) as decoders:
            assert (decoders.languages, decoders.pids) == (frozenset(), ())
            with pytest.raises(Unavailable):
                await decoders.open("zh", ["满意"])

    run(scene())


def test_a_model_that_cannot_be_loaded_leaves_the_other_language(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Decoders({**MODELS, "zh": tmp_path}, 1) as decoders:
            assert decoders.languages == {"en"}

    run(scene())


async def _one_of_two_is_struck(sign: signal.Signals) -> None:
    async with Decoders(MODELS, 2, pace=QUICK) as decoders:
        hearings = [await decoders.open("en", PHRASES["en"]) for _ in range(2)]
        before = decoders.pids

        os.kill(before[0], sign)

        assert await hearings[0].next() is None
        assert (await asked(hearings[1], "three-en")).transcript.text == "three"
        await until(lambda: len(decoders.pids) == 2 and before[0] not in decoders.pids)
        await until(lambda: all(process.languages for process in decoders._processes))
        again = await decoders.open("en", PHRASES["en"])
        assert (await asked(again, "satisfied-en")).transcript.text == "satisfied"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], ids=lambda sign: sign.name)
def test_a_process_that_dies_or_hangs_costs_its_own_streams_and_is_replaced(sign: signal.Signals) -> None:
    run(_one_of_two_is_struck(sign))


def test_a_process_that_never_starts_is_tried_again_and_nobody_waits_for_it() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1, python=("/nowhere/python",), pace=QUICK) as decoders:
            with pytest.raises(Unavailable):
                await decoders.open("en", ["yes"])

    run(scene())


def test_a_program_that_talks_nonsense_is_killed(tmp_path: Path) -> None:
    (tmp_path / "nonsense.py").write_text("import time\nprint('x' * 100, flush=True)\ntime.sleep(60)\n")

    async def scene() -> None:
        async with Decoders(MODELS, 1, python=(sys.executable, str(tmp_path / "nonsense.py")), pace=QUICK) as decoders:
            assert decoders.languages == frozenset()

    run(scene())


def test_old_sound_is_dropped_when_the_process_is_behind() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1) as decoders:
            hearing = await decoders.open("en", PHRASES["en"])
            os.kill(decoders.pids[0], signal.SIGSTOP)
            for _ in range(600):
                await hearing.feed(b"\xff" * 8000)
                await asyncio.sleep(0)
            assert len(hearing._sound) <= BACKLOG_SECONDS * 8000
            os.kill(decoders.pids[0], signal.SIGCONT)

            heard = await asked(hearing, "three-en")

            assert heard.transcript.text == "three"
            assert 600 < heard.began < 601

    run(scene())


def test_leaving_ends_processes_and_hearings() -> None:
    pids: list[int] = []

    async def scene() -> None:
        async with Decoders(MODELS, 2) as decoders:
            pids.extend(decoders.pids)
            hearing = await decoders.open("en", ["yes"])
        assert await hearing.next() is None

    run(scene())
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_open_that_nobody_answers_is_given_up() -> None:
    async def scene() -> None:
        async with Decoders(MODELS, 1, pace=Pace(answer=0.3, asking=60)) as decoders:
            os.kill(decoders.pids[0], signal.SIGSTOP)

            with pytest.raises(Unavailable, match="does not answer"):
                await decoders.open("en", ["yes"])
            assert decoders.streams == 0

    run(scene())
