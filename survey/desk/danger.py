"""A person who may be in danger: what the operator did about it stands written before the call is sorted out (R34, O22)."""

from collections.abc import Collection
from datetime import datetime

from survey.store.models import Takeover

CHOICES = ("hall", "told_110", "none")
"""The command hall was told, the person was asked to dial the emergency number, there is no danger."""

DANGER = "danger"


def is_dangerous(takeover: Takeover, reasons: Collection[str]) -> bool:
    """Whether the call or its case (`reasons`) is about danger."""
    return DANGER in (takeover.reason, *reasons)


def is_unsettled(takeover: Takeover, reasons: Collection[str], heard_at: datetime | None) -> bool:
    """Whether somebody must still say what was done: nobody has, or words of danger were found (`heard_at`) after that."""
    if not is_dangerous(takeover, reasons):
        return False
    return takeover.danger_at is None or (heard_at is not None and heard_at > takeover.danger_at)
