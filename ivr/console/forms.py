"""What was wrong with a form that was sent: said at the field, beside what had been typed."""

import dataclasses
from collections.abc import Mapping

LONGEST_REASON = 200


@dataclasses.dataclass(frozen=True)
class Problem:
    """`form` and `field` tell where, `typed` is what came and is shown again."""

    form: str
    field: str
    message: str
    typed: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def is_at(self, form: str, field: str) -> bool:
        """Whether this field of this form is the wrong one."""
        return (self.form, self.field) == (form, field)

    def value(self, form: str, field: str, otherwise: object) -> object:
        """What to show in a field: what was typed into it, else what holds."""
        return self.typed.get(field, otherwise) if self.form == form else otherwise


NO_PROBLEM = Problem("", "", "")
