"""Whatever the carrier does is done, timed, and counted in one word of ours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ivr import measures
from ivr.carrier.base import Accepted, Carrier, CarrierError, CarrierGone, Rejected, Unknown
from ivr.carrier.measured import MeasuredCarrier

SINCE = datetime(2026, 3, 10, tzinfo=UTC)
OPERATIONS: dict[str, tuple[Any, ...]] = {
    "place_call": ("request",), "hang_up": ("CA1",), "fetch_call": ("CA1",), "find_calls": ("+8610000000000", SINCE),
    "fetch_recording": ("RE1",), "delete_recording": ("RE1",), "redirect": ("CA1", "https://voice.example/", 3600),
    "hold": ("room", "CA1", True, "https://voice.example/"), "mute": ("room", "CA1", True),
}  # fmt: skip


class Behind:
    """A carrier that answers everything with the same, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, []

    def __getattr__(self, name: str) -> Any:
        def ask(*words: object, **more: object) -> object:
            self.asked.append((name, *words))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return ask


def counted(operation: str, outcome: str) -> float:
    return measures.REGISTRY.get_sample_value("huifang_carrier_requests_total", {"operation": operation, "outcome": outcome}) or 0.0


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("anything", "done"), (Accepted("CA1"), "accepted"), (Rejected("busy", "20429", "x"), "busy"), (Unknown("HTTP 500"), "unknown"),
     (CarrierGone("x"), "gone"), (CarrierError("x"), "error"), (ZeroDivisionError(), "failed")],
)  # fmt: skip
def test_what_the_carrier_answers_goes_through_and_is_counted(operation: str, answer: object, outcome: str) -> None:
    behind, before = Behind(answer), counted(operation, outcome)
    carrier = MeasuredCarrier(behind)

    if isinstance(answer, Exception):
        with pytest.raises(type(answer)):
            getattr(carrier, operation)(*OPERATIONS[operation])
    else:
        assert getattr(carrier, operation)(*OPERATIONS[operation]) in (answer, None)

    assert behind.asked == [(operation, *OPERATIONS[operation])]
    assert counted(operation, outcome) == before + 1


def test_nothing_of_a_carrier_is_left_out() -> None:
    asked_of_any = {name for name in vars(Carrier) if not name.startswith("_")}

    assert asked_of_any == {name for name in vars(MeasuredCarrier) if not name.startswith("_")} == set(OPERATIONS)
