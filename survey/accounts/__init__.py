"""Who may use the console: accounts and roles, log-ins kept on the server, the second factor, the throttle against guessing.

roles → people (accounts as rows) → administration (what an administrator does) and own (what everybody does with the own
account) → logins (password, code, session). What is administered is written to the audit trail with who did it, never with a
secret (RS52, RS53, R65).
"""

from survey.accounts.logins import (
    IDLE,
    LONGEST,
    Expired,
    HalfIn,
    LoggedIn,
    Refused,
    Visitor,
    carry_over,
    choose_language,
    find_session,
    is_note_due,
    log_in,
    log_out,
    note_refused,
    note_seen,
    prove_code,
)
from survey.accounts.people import Hand, NewAccount, add_user, disable_user, renew_password
from survey.accounts.roles import ROLES
from survey.accounts.throttle import LOCK, TRIES

__all__ = [
    "IDLE",
    "LOCK",
    "LONGEST",
    "ROLES",
    "TRIES",
    "Expired",
    "HalfIn",
    "Hand",
    "LoggedIn",
    "NewAccount",
    "Refused",
    "Visitor",
    "add_user",
    "carry_over",
    "choose_language",
    "disable_user",
    "find_session",
    "is_note_due",
    "log_in",
    "log_out",
    "note_refused",
    "note_seen",
    "prove_code",
    "renew_password",
]
