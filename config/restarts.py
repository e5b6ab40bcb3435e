"""Who has asked the running service for a restart, and how each restart went: two small files beside its process id."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How a restart went: the last request that it answers, what went wrong ("" for nothing), the changed settings it left alone."""

    request: int
    problem: str = ""
    kept: tuple[str, ...] = ()


class RestartBook:
    """Requests are numbered, so that each learns of a restart that began after it, however many come at once."""

    def __init__(self, folder: Path) -> None:
        self._requests, self._outcomes = folder / "restart-requests", folder / "restart-outcomes"

    def clear(self) -> None:
        """Forget what an earlier service was asked for."""
        for path in (self._requests, self._outcomes):
            path.unlink(missing_ok=True)

    def ask(self) -> int:
        """Note a request; its number, from 1."""
        with self._requests.open("ab", buffering=0) as file:  # the number is where our own byte ended, whoever else writes
            file.write(b".")
            return file.tell()

    def asked(self) -> int:
        """The number of the last request; 0 where there was none."""
        return self._requests.stat().st_size if self._requests.exists() else 0

    def note(self, outcome: Outcome) -> None:
        """Write down how a restart went."""
        with self._outcomes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")

    def outcome_of(self, request: int) -> Outcome | None:
        """How the restart went that answers a request; None as long as there was none."""
        lines = self._outcomes.read_text("utf-8").splitlines(keepends=True) if self._outcomes.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("\n")]
        return next((Outcome(each["request"], each["problem"], tuple(each["kept"])) for each in told if each["request"] >= request), None)
