"""A real embedded Valkey for tests, in a process that ends with the test's."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from redis import Redis

from config import valkey
from worker.parents import die_with

PATIENCE_SECONDS = 60.0


def start(data: Path) -> subprocess.Popen[bytes]:
    """Start the server of a data folder and wait until it answers."""
    process = subprocess.Popen(valkey.command(data), preexec_fn=partial(die_with, os.getpid()))
    connection = valkey.client("", data)
    until = time.monotonic() + PATIENCE_SECONDS
    while not valkey.answers(connection):
        assert process.poll() is None, "the embedded server ended at its start"
        assert time.monotonic() < until, "the embedded server does not answer"
        time.sleep(0.01)
    return process


@contextmanager
def running(data: Path) -> Iterator[Redis]:
    """A server for the length of the block; gives a client."""
    process = start(data)
    try:
        yield valkey.client("", data)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)
