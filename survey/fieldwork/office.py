"""What fieldwork brings along from outside the database: keys, number policy, wording of the bureau, parsed scripts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey import script_yaml
from survey.bureau import Bureau
from survey.desk_clock import DeskTerms
from survey.order_clock import Terms
from survey.phone import NumberPolicy
from survey.prompts import Variables
from survey.script import Script
from survey.store import audit
from survey.store.models import ScriptVersion
from survey.store.sealing import KeyRing

CONTEXTS_KEPT = 4096


@dataclass(frozen=True)
class TurnContext:
    """What a renderer of a call needs beside the actions; the same all through the call."""

    token: str
    script: Script
    variables: Variables
    listens: bool = False  # whether what the person says at a question can be understood


@dataclass(frozen=True)
class Office:
    """The survey office. Shared by all threads of a process; parsed scripts are kept because versions never change."""

    keys: KeyRing
    audit_key: bytes
    bureau: Bureau
    numbers: NumberPolicy
    quarantine_days: int = 90
    lines: int | None = None  # of the account, over all campaigns; None: each campaign's own figure is the only bound
    calls_per_second: float | None = None
    languages: frozenset[str] = frozenset()  # in which what people say is understood: zh, en
    terms: Terms = field(default_factory=Terms)  # of the orders that come out of the human queue
    desk: DeskTerms = field(default_factory=DeskTerms)  # of operators who take calls over
    contexts: dict[str, TurnContext] = field(default_factory=dict, repr=False)
    _scripts: dict[int, Script] = field(default_factory=dict, repr=False)

    def script(self, session: Session, version_id: int) -> Script:
        """The script of a version, parsed once per process."""
        if version_id not in self._scripts:
            self._scripts[version_id] = script_yaml.parse(session.get_one(ScriptVersion, version_id).text)
        return self._scripts[version_id]

    def understands(self, script: Script) -> bool:
        """Whether answers of this script may be given by voice."""
        return script.language.partition("-")[0] in self.languages

    def keep_context(self, token: str, context: TurnContext) -> None:
        """Remember the context of a call that is going on; the oldest ones are forgotten, and read again when needed."""
        if len(self.contexts) >= CONTEXTS_KEPT:
            for old in list(self.contexts)[: CONTEXTS_KEPT // 2]:
                self.contexts.pop(old, None)
        self.contexts[token] = context

    def record(self, session: Session, at: datetime, actor: str, action: str, subject: str, **details: Any) -> None:
        """Note an entry for the audit chain, to be written with the caller's transaction; no personal data."""
        audit.note(session, self.audit_key, at, actor, action, subject, **details)
