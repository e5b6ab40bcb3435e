"""`/metrics`: what the processes have counted, added up, and what the database says at this moment.

Each process counts in files of its own below the data folder, so that a scrape reads them all and no process asks another. A file
belongs to a place (`voice-0`, `dial-1-0`...), not to a process id: whoever follows a dead process goes on counting where it stopped,
and there are never more files than processes that ran at once.
"""

import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from config.gauges import GAUGES, Look

log = logging.getLogger(__name__)

FOLDER = Path("run") / "metrics"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
KINDS = ("counter", "histogram")
FILE_BYTES = 1 << 16
"""As large as the library makes a file at first. Ours are filled before they are used: it writes through memory, and a page for
which the disk has no room would kill the process."""

MOST_PLACES = 64
PREFIX = "huifang_"


def folder_of(data: Path) -> Path:
    """Where the processes of a data folder count."""
    return data / FOLDER


def clear(data: Path) -> None:
    """Begin to count anew; for the supervisor, before its first child."""
    shutil.rmtree(folder_of(data), ignore_errors=True)


def begin(name: str, data: Path) -> None:
    """Let this process, and those that it forks, count in files; before the first metric is made. Without room it counts for itself."""
    os.environ[VARIABLE] = str(folder_of(data))
    try:
        place = _Place(folder_of(data), name)
        place()
    except OSError as problem:
        del os.environ[VARIABLE]
        values.ValueClass = values.MutexValue  # whatever stood in the environment when the library was loaded
        log.warning("what %s does is not counted: %s", name, problem, extra={"action": "metrics.no_room"})
        return
    values.ValueClass = values.MultiProcessValue(process_identifier=place)  # type: ignore[no-untyped-call]


class _Place:
    """The first place under a name that no living process holds; another one for each process that is forked."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._process, self._place = 0, ""

    def __call__(self) -> str:
        process = os.getpid()
        if process != self._process:
            self._process, self._place = process, self._take()
        return self._place

    def _take(self) -> str:
        """Hold a lock that ends with the process, however it ends. Raises OSError without room for the files."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(MOST_PLACES):
            place = f"{self._name}-{number}"
            lock = os.open(self._folder / f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            for kind in KINDS:
                _fill(self._folder / f"{kind}_{place}.db")
            return place
        raise OSError(f"more than {MOST_PLACES} processes are named {self._name}")


def _fill(path: Path) -> None:
    with contextlib.suppress(FileExistsError), path.open("xb") as file:
        try:
            file.write(bytes(FILE_BYTES))
            file.flush()
        except OSError:
            path.unlink()
            raise


@dataclass(frozen=True)
class _Gauges(Collector):
    """The gauges as the library wants them; a database that cannot be asked gives none, and says so."""

    look: Callable[[], Look]

    def collect(self) -> Iterator[Metric]:
        try:
            seen = self.look()
        except SQLAlchemyError as problem:
            log.warning("the database could not be asked: %s", type(problem).__name__, extra={"action": "metrics.no_database"})
            yield GaugeMetricFamily(PREFIX + "database_asked", DATABASE_ASKED, 0.0)
            return
        yield GaugeMetricFamily(PREFIX + "database_asked", DATABASE_ASKED, 1.0)
        for gauge in GAUGES:
            family = GaugeMetricFamily(PREFIX + gauge.name, gauge.formula, labels=[gauge.label] if gauge.label else [])
            value = gauge.value(seen)
            if isinstance(value, (int, float)):
                family.add_metric([], value)
            elif value is not None:
                for word, count in value.items():
                    family.add_metric([word], count)
            yield family


DATABASE_ASKED = "1 while the database answers the questions of a scrape in time, else 0"


def exposition(data: Path, look: Callable[[], Look]) -> str:
    """Everything there is to scrape, in Prometheus' text format."""
    from ivr import measures

    registry = CollectorRegistry()
    registry.register(_Gauges(look))
    text = generate_latest(registry).decode()
    counted = measures.REGISTRY
    if folder_of(data).is_dir():
        counted = CollectorRegistry()
        MultiProcessCollector(counted, str(folder_of(data)))  # type: ignore[no-untyped-call]
    try:
        return text + generate_latest(counted).decode()
    except (OSError, RuntimeError, ValueError) as problem:  # a file that was being made, or is damaged: the gauges still count
        log.warning("what the processes count could not be read: %s", problem, extra={"action": "metrics.unreadable"})
        return text


def markdown_table() -> str:
    """Every metric with kind, unit, labels and formula, for `docs/metrics.md`."""
    from ivr import measures

    rows: list[tuple[str, str, str, str, tuple[str, ...]]] = [(PREFIX + "database_asked", "gauge", "0 or 1", DATABASE_ASKED, ())]
    rows += [(PREFIX + row.name, "gauge", row.unit, row.formula, (row.label,) if row.label else ()) for row in GAUGES]
    rows += [(row.name, row.kind, row.unit, row.meaning, row.labels) for row in measures.MEASURES]
    lines = ["| metric | kind | unit | label | meaning and formula |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{name}` | {kind} | {unit} | {', '.join(f'`{one}`' for one in labels)} | {meaning} |"
        for name, kind, unit, meaning, labels in rows
    ]
    return "\n".join(lines) + "\n"
