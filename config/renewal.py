"""What `serve` runs after a restart: asked of a fresh process, because only that knows the code and the settings of this day.

The fresh process, `python -m config.renewal`, reads the environment and `.env`, makes every part of the program once, and answers with
the children that there shall be from now on, or with what stands against them: then nothing has been touched yet.
"""

import json
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import import_module
from typing import Any

from config import processes
from config.child import TELLS, Child
from config.cli import open_house
from config.restarts import Outcome, RestartBook
from config.setting_rows import row_of, variable
from config.settings import ROOT, Settings
from config.wiring import House
from survey.errors import SurveyError

log = logging.getLogger(__name__)

FIXED = (
    "environment", "data", "database_url", "redis_url", "clock_file", "voice_host", "voice_port", "console_host", "console_port",
    "media_host", "media_port", "public_base_url", "twilio_account_sid", "twilio_api_url", "pii_keys", "drain_seconds", "log_format",
)  # fmt: skip
"""What only a stop and a start change. Everything is stored, and calls in progress come back, where these say; with keys, a process
of before could not read what one of after has sealed. The last two are the supervisor's own."""

ONLY_BY_A_STOP = "这个版本要停止后再启动才能换上 / this version needs a stop and a start"
QUESTION = "RENEWAL_QUESTION"
MADE_IN_PLACE = (
    "config.doors", "config.media", "config.metrics", "config.sweep", "survey.store.migrations", "worker.jobs", "worker.worker",
)  # fmt: skip


class NotRenewed(SurveyError):
    """The new code or the new settings cannot be used."""


@dataclass(frozen=True)
class Footing:
    """What the service stands on since its start: settings as read then and as in force, parts (none: all), the sockets' descriptors."""

    read: Mapping[str, str]
    in_force: Mapping[str, str]
    parts: Sequence[str]
    sockets: Mapping[str, int]


def footing(read: Settings, in_force: Settings, parts: Collection[str], sockets: Mapping[str, int]) -> Footing:
    """The footing of a service that starts now."""
    return Footing(read.as_environment(), in_force.as_environment(), sorted(parts), sockets)


class Renewal:
    """The supervisor's side of it: asks, reads the answer, notes how the restart went."""

    def __init__(self, standing: Footing, book: RestartBook) -> None:
        self._question, self._book = json.dumps(asdict(standing)), book
        self._request, self._kept = 0, ()  # type: tuple[int, tuple[str, ...]]

    def begin(self) -> Child:
        """The fresh process; every request noted so far is answered by this restart."""
        self._request, self._kept = self._book.asked(), ()
        environment = {QUESTION: self._question, "PYTHONPATH": str(ROOT)}
        return Child("renewal", processes.python("config.renewal"), environment, once=True, tells=True)

    def children(self, told: bytes) -> Sequence[Child]:
        """What it has answered. Raises NotRenewed, also where a newer version describes its processes in a way unknown to this one."""
        try:
            reply: dict[str, Any] = json.loads(told)
            if reply["problem"]:
                raise NotRenewed(reply["problem"])
            wanted = [Child(environment=reply["environment"], **manners) for manners in reply["children"]]
            self._kept = tuple(reply["kept"])
        except (ValueError, KeyError, TypeError) as unknown:
            raise NotRenewed(f"{ONLY_BY_A_STOP} ({type(unknown).__name__}: {unknown})") from unknown
        for name in self._kept:
            log.warning("%s", kept_sentence(name), extra={"action": "restart.kept"})
        return wanted

    def end(self, problem: str) -> None:
        """Note how the restart went."""
        self._book.note(Outcome(self._request, " ".join(problem.split()), self._kept))


def kept_sentence(name: str) -> str:
    """What is to be said of a changed setting that a restart does not touch."""
    return f"{name}：重启不改此项，停止后再启动才生效 / not changed by a restart: takes effect after a stop and a start"


def answer(standing: Footing) -> dict[str, Any]:
    """The fresh process's side: the children's common environment, their manners, and the changed settings that stay as they are."""
    try:
        read = open_house().settings
        settings, kept = on_footing(read, standing)
        try_out(House(settings))
    except SurveyError as problem:
        return {"problem": str(problem)}
    found = [child for child in processes.children(settings, standing.parts, standing.sockets) if not child.last]
    named = {name: text for child in found for name, text in child.environment.items()}
    return {"problem": "", "kept": kept, "environment": named, "children": [_manners(child) for child in found]}


def _manners(child: Child) -> dict[str, Any]:
    return {item.name: getattr(child, item.name) for item in fields(child) if item.name not in ("environment", "ready")}


def on_footing(read: Settings, standing: Footing) -> tuple[Settings, list[str]]:
    """The settings with what is fixed as it is in force, and the variables of what is fixed and has been changed.

    What the service did not know when it started, because an older version was installed, is taken as read.
    """
    items = [item for item in fields(Settings) if item.name in FIXED and variable(item) in standing.read]
    now = read.as_environment()
    changed = [variable(item) for item in items if now[variable(item)] != standing.read[variable(item)]]
    fixed = {item.name: row_of(item).read(standing.in_force[variable(item)]) for item in items}
    return replace(read, **fixed), changed


def try_out(house: House) -> None:
    """Make every part without opening it: what cannot be imported or put together is found before anything is ended."""
    for name in MADE_IN_PLACE:
        import_module(name)
    house.voice_app()
    house.console_app()
    house.runtime()


def main() -> None:
    """Answer the question in the environment on the descriptor that stands there too."""
    reply = answer(Footing(**json.loads(os.environ[QUESTION])))
    with os.fdopen(int(os.environ[TELLS]), "wb") as mouth:
        mouth.write(json.dumps(reply).encode())


if __name__ == "__main__":
    main()
