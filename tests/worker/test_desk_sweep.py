"""The desk is tended whatever becomes of dialling."""

from pathlib import Path

import pytest

from survey import fieldwork
from tests.survey.desk.conftest import Desk, bench, ground
from tests.worker.test_steering import RoomCarrier, carrier
from worker import runtime
from worker.jobs import sweep

__all__ = ["bench", "carrier", "ground"]


def test_a_fault_in_dialling_costs_nobody_an_offer(
    bench: Desk, carrier: RoomCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    bench.operator("wang")
    bench.call()
    monkeypatch.setattr(fieldwork, "claim_due", _fail)

    with pytest.raises(ConnectionError):
        sweep(runtime.current())

    assert bench.offers() == [("wang", 1, "open")]


def _fail(*_: object) -> None:
    raise ConnectionError
