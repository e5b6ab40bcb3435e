"""What a job may use. Set once per worker process (or per test), never looked up from the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.carrier.base import Carrier
from ivr.notices.base import Channel
from survey.fieldwork import Office
from survey.ports import Clock
from survey.store.unit_of_work import UnitOfWork


def stands_still() -> bool:
    """The answer of a clock that somebody else moves on."""
    return False


@dataclass(frozen=True)
class Runtime:
    """The surroundings of a job.

    `data` is the data folder (recordings lie below it), `public_base_url` the voice door as the carrier sees it,
    `machine_detection` whether the carrier shall tell machines from people, `call_limit_seconds` the longest call.
    `speech_models` are the folders of the speech models, by language (zh, en); a language that is not there is not transcribed.
    `channels` are the ways by which notices leave the house (mail, webhook), those that are set up.
    `time_passes` tells whether the clock goes on by itself, so that a job may wait: a virtual one stands while anybody works.
    """

    unit_of_work: Callable[[], UnitOfWork]
    office: Office
    clock: Clock
    carrier: Carrier
    data: Path
    public_base_url: str
    machine_detection: bool = True
    call_limit_seconds: int = 600
    time_passes: Callable[[], bool] = stands_still
    speech_models: Mapping[str, Path] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)


class _Holder:
    runtime: Runtime | None = None


def install(runtime: Runtime) -> None:
    """Give this process its runtime."""
    _Holder.runtime = runtime


def current() -> Runtime:
    """The runtime of this process. Raises RuntimeError when none was installed."""
    if _Holder.runtime is None:
        raise RuntimeError("no runtime was installed in this worker process")
    return _Holder.runtime
