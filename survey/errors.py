"""The few errors of the domain. A class's docstring is its default message."""


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

    def __init__(self, message: str | None = None, field: str = "") -> None:
        """`field` names what was wrong, for a form to say it there."""
        super().__init__(message)
        self.field = field


class CannotUnseal(SurveyError):
    """A stored value cannot be read: wrong key, altered, or moved from another row."""
