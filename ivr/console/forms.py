"""What was wrong with a form that was sent: said at the field, beside what had been typed."""

import dataclasses
from collections.abc import Mapping

from ivr.console import words
from survey.errors import BadInput

LONGEST_REASON = 200


@dataclasses.dataclass(frozen=True)
class Problem:
    """`form` and `field` tell where, `typed` is what came and is shown again; `more` are the fields that are wrong besides, and why."""

    form: str
    field: str
    message: str
    typed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    more: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, form: str, wrong: BadInput, typed: Mapping[str, str]) -> "Problem":
        """Everything that is wrong in a form, in the page's language."""
        more = tuple((each.field, words.in_language(each)) for each in wrong.more)
        return cls(form, wrong.field, words.in_language(wrong), typed, more)

    @property
    def found(self) -> tuple[tuple[str, str], ...]:
        """Field and message of everything that is wrong, in the order of the form."""
        return ((self.field, self.message), *self.more) if self.message else ()

    def is_at(self, form: str, field: str) -> bool:
        """Whether this field of this form is the first that is wrong."""
        return (self.form, self.field) == (form, field)

    def told_at(self, form: str, field: str) -> str:
        """What is wrong with this field of this form; empty for nothing."""
        return dict(self.found).get(field, "") if self.form == form else ""

    def value(self, form: str, field: str, otherwise: object) -> object:
        """What to show in a field: what was typed into it, else what holds."""
        return self.typed.get(field, otherwise) if self.form == form else otherwise


NO_PROBLEM = Problem("", "", "")
