"""The few errors of the domain. A class's docstring is its default message."""

from __future__ import annotations

from collections.abc import Sequence


class SurveyError(Exception):
    """Something in the survey is not as it must be."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class NotFound(SurveyError):
    """There is no such record."""


class UnknownAttempt(NotFound):
    """No call attempt has this token."""


class NotAllowed(SurveyError):
    """The state of the record does not allow this."""


class BadInput(SurveyError):
    """What was given cannot be used."""

    def __init__(self, message: str | None = None, field: str = "", more: Sequence[BadInput] = ()) -> None:
        """`field` names what was wrong, for a form to say it there; `more` is what else is wrong in the same form."""
        super().__init__(message)
        self.field, self.more = field, tuple(more)

    @classmethod
    def of_all(cls, found: Sequence[BadInput]) -> BadInput:
        """Everything that was found, at least one, as one error: that of the first, with the others."""
        first, *others = found
        return cls(str(first), first.field, others)


class CannotUnseal(SurveyError):
    """A stored value cannot be read: wrong key, altered, or moved from another row."""
