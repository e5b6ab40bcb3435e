"""A recording to text, every word of the model allowed, in a process of its own with bounds on time and memory."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from speech.audio import LARGEST_BYTES, NotSound
from speech.decoding_process import ROOT
from speech.frames import words_of
from speech.transcript import Transcript


class TranscriptionFailed(Exception):
    """The recording could not be written down: time or memory ran out, or the model cannot be used."""


def transcribe(wav: bytes, language: str, model: Path, seconds: float, memory_bytes: int) -> Transcript:
    """The words of a WAV file with their times and confidences, decided within `seconds` and `memory_bytes` of address space.

    Raises NotSound when it is none that can be read, TranscriptionFailed otherwise.
    """
    if len(wav) > LARGEST_BYTES:
        raise NotSound(f"larger than {LARGEST_BYTES // 1024 // 1024} MB")
    command = [
        sys.executable, "-m", "speech.decoder", "--transcribe", language, "--model", f"{language}={model.resolve()}",
        "--parent", str(os.getpid()), "--cpu-seconds", str(math.ceil(seconds)), "--memory-bytes", str(memory_bytes),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, input=wav, capture_output=True, timeout=seconds, cwd=ROOT, check=False)
    except subprocess.TimeoutExpired:
        raise TranscriptionFailed(f"{seconds:g} 秒内没有完成 / not done within {seconds:g} s") from None
    except OSError as problem:
        raise TranscriptionFailed(f"无法启动识别进程 / the process cannot be started: {problem}") from problem
    return _read(done)


def _read(done: "subprocess.CompletedProcess[bytes]") -> Transcript:
    try:
        told = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = f"{done.returncode} {' '.join(last)[:200]}".strip()
        raise TranscriptionFailed(f"识别进程中途结束（{reason}） / the process ended before its result") from None
    if "not_sound" in told:
        raise NotSound(told["not_sound"])
    if "words" not in told:
        raise TranscriptionFailed(told["fault"])
    return Transcript(words_of(told["words"]))
