"""The decoding process as its parent meets it: frames in, frames out, and an end for every way in which the parent may go."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from speech import audio, frames
from speech.frames import Frame, Garbled, Kind
from tests.conventions.sources import ROOT
from tests.speech.spoken import MODELS, PHRASES, said


@contextmanager
def decoder(parent: int | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "speech.decoder", "--model", f"en={MODELS['en']}", "--parent", str(parent or os.getpid())]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: "subprocess.Popen[bytes]", *said_now: Frame) -> None:
    assert process.stdin
    process.stdin.write(b"".join(frame.packed() for frame in said_now))
    process.stdin.flush()


def answer(process: "subprocess.Popen[bytes]") -> Frame:
    assert process.stdout
    found = frames.read(process.stdout)
    assert found
    return found


def test_it_answers_in_frames_and_ends_when_its_input_ends() -> None:
    with decoder() as process:
        assert answer(process).told() == {"languages": ["en"], "faults": []}

        tell(process, Frame(Kind.PING, 3), frames.said(Kind.OPEN, 5, {"language": "en", "phrases": PHRASES["en"]}))
        assert [answer(process).kind, answer(process).kind] == [Kind.PONG, Kind.OPENED]
        tell(process, frames.sound(5, 80000, audio.pcm_to_mulaw(said("three-en"))))
        told, mulaw = frames.heard_of(answer(process))
        assert told["words"][0][0] == "three"
        assert 10 < told["began"] < told["ended"] < 12
        assert len(mulaw) > 4000

        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


def test_sound_of_streams_that_are_not_open_is_nothing_to_it() -> None:
    with decoder() as process:
        answer(process)

        tell(process, frames.sound(9, 0, b"\xff" * 8000), Frame(Kind.CLOSE, 9), Frame(Kind.HEARD, 1), Frame(Kind.PING, 1))

        assert answer(process).kind is Kind.PONG


def test_it_ends_when_it_is_spoken_to_in_nonsense() -> None:
    with decoder() as process:
        answer(process)
        assert process.stdin
        process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
        process.stdin.flush()

        assert process.wait(10) != 0


def test_it_does_not_outlive_a_parent_that_is_gone_already() -> None:
    with decoder(parent=1) as process:
        assert process.wait(10) == 1


@pytest.mark.parametrize("data", [b"\xff" * frames.HEAD.size, frames.HEAD.pack(3, 99, 0), frames.HEAD.pack(1 << 24, 1, 0)])
def test_heads_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(Garbled):
        frames.head(data)
