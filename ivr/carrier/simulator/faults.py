"""Faults on demand, drawn from a seed: what the network does to web-hooks and to the answers of the API."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from random import Random
from typing import Any

KINDS = ("turn", "status", "recording", "machine")
CREATE = ("too_many", "error_before", "error_after", "reset_after", "hang_after", "callback_first")


@dataclass(frozen=True)
class HookFaults:
    """Probabilities for one kind of web-hook.

    `duplicate`: sent twice. `reorder`: a turn's copy comes again after later turns, another kind is overtaken by later ones.
    `delay`: sent late. `drop`: never sent; a turn's reply is lost and the turn is asked again with the same token.
    """

    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    drop: float = 0.0


@dataclass(frozen=True)
class CreateFaults:
    """Probabilities for the answer to a call's creation; `_after` means the call was accepted."""

    too_many: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0
    reset_after: float = 0.0
    hang_after: float = 0.0
    callback_first: float = 0.0


@dataclass(frozen=True)
class FaultPlan:
    """All faults in force. `next_creates` are used up first, one per creation, `none` among them meaning no fault."""

    seed: int = 0
    turn: HookFaults = HookFaults()
    status: HookFaults = HookFaults()
    recording: HookFaults = HookFaults()
    machine: HookFaults = HookFaults()
    create: CreateFaults = CreateFaults()
    next_creates: tuple[str, ...] = ()
    list_lag_seconds: float = 0.0
    hang_seconds: float = 30.0

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON object that `plan_from` reads."""
        return asdict(self)


@dataclass(frozen=True)
class Fate:
    """What happens to one web-hook. Seconds are 0 for not at all."""

    duplicate: bool = False
    late_copy_seconds: float = 0.0
    delay_seconds: float = 0.0
    drop: bool = False


NO_HARM = Fate()


def fate_of(plan: FaultPlan, kind: str, sid: str, number: int) -> Fate:
    """The fate of the `number`-th web-hook of a call, the same for the same seed."""
    faults: HookFaults = getattr(plan, kind, HookFaults())
    if faults == HookFaults():
        return NO_HARM
    chance = Random(f"{plan.seed}/{kind}/{sid}/{number}")
    duplicate, reorder, delay, drop = (chance.random() < p for p in (faults.duplicate, faults.reorder, faults.delay, faults.drop))
    shift = chance.uniform(5, 40) if reorder else 0.0
    wait = chance.uniform(1, 10) if delay else 0.0
    if kind == "turn":
        return Fate(duplicate, shift, wait, drop)
    return Fate(duplicate, 0.0, wait + shift, drop)


@dataclass
class CreateFates:
    """Draws the fate of each creation of a call; one of CREATE or None."""

    plan: FaultPlan
    _drawn: int = 0
    _queue: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue = list(self.plan.next_creates)

    def draw(self) -> str | None:
        """The next creation's fate."""
        if self._queue:
            name = self._queue.pop(0)
            return None if name == "none" else name
        self._drawn += 1
        chance = Random(f"{self.plan.seed}/create/{self._drawn}").random()
        for name in CREATE:
            chance -= getattr(self.plan.create, name)
            if chance < 0:
                return name
        return None


def plan_from(data: Mapping[str, Any], base: FaultPlan | None = None) -> FaultPlan:
    """A plan from JSON; what is not named stays as in `base`. Raises ValueError for an unknown name or value."""
    known = {each.name for each in fields(FaultPlan)}
    if unknown := set(data) - known:
        raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")
    try:
        parts: dict[str, Any] = {kind: HookFaults(**data[kind]) for kind in KINDS if kind in data}
        if "create" in data:
            parts["create"] = CreateFaults(**data["create"])
        if "next_creates" in data:
            parts["next_creates"] = _creates(data["next_creates"])
        parts |= {name: data[name] for name in ("seed", "list_lag_seconds", "hang_seconds") if name in data}
        return replace(base or FaultPlan(), **parts)
    except TypeError as problem:
        raise ValueError(str(problem)) from problem


def _creates(names: list[str]) -> tuple[str, ...]:
    if unknown := set(names) - {*CREATE, "none"}:
        raise ValueError(f"unknown faults of creation: {', '.join(sorted(unknown))}")
    return tuple(names)
