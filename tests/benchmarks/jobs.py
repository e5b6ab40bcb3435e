"""How many empty jobs a second one worker of each kind does: `python -m tests.benchmarks.jobs [jobs]`."""

import logging
import sys
import tempfile
import time
import types
from pathlib import Path

import worker
from config import valkey
from tests import embedded
from worker.queues import QUEUES, RqJobQueue
from worker.worker import open_worker


def measure(data: Path, job: str, count: int) -> tuple[float, float]:
    """(jobs put in a second, jobs done a second) for one kind of job."""
    queue = RqJobQueue(valkey.client("", data))
    began = time.perf_counter()
    for number in range(count):
        queue.enqueue(job, number)
    put = time.perf_counter()
    open_worker(QUEUES[job], valkey.client("", data, blocking=True), data, lambda: None).work(burst=True, logging_level="ERROR")
    return count / (put - began), count / (time.perf_counter() - put)


def main(count: int) -> None:
    """Print a line for a worker without and one with a fork."""
    logging.basicConfig(level="ERROR")
    jobs = types.ModuleType("worker.jobs")
    for name in QUEUES:
        setattr(jobs, name, lambda row_id, epoch: None)
    sys.modules["worker.jobs"] = worker.jobs = jobs  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder, embedded.running(Path(folder)):
        for job, kind in (("dial", "in the worker's own process"), ("fetch_recording", "in a child for each job")):
            put, done = measure(Path(folder), job, count)
            print(f"{job:16} {kind:28} {put:7.0f} put/s {done:7.0f} done/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
