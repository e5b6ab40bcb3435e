"""What everybody does with the own account: another password, the second factor, the telephone of the desk, the e-mail address."""

from sqlalchemy.orm import Session, sessionmaker

from survey.accounts import emails, people, second_factor, throttle
from survey.accounts.people import Hand
from survey.accounts.second_factor import Key
from survey.errors import BadInput, NotAllowed
from survey.store import audit, passwords
from survey.store.models import User

SHORTEST_PASSWORD = 12
FEWEST_CHARACTERS = 5
"""A password has at least so many different ones."""
SHORTEST_NAME = 4
"""A shorter one may stand in a password by chance."""


def change_password(sessions: sessionmaker[Session], hand: Hand, old: str, new: str, repeated: str, token_digest: str) -> None:
    """Set the own password, which ends all other log-ins of the account; `token_digest` is of the one that stays.

    Raises BadInput with the field `old`, `new` or `repeated`. A wrong old password counts like a failed log-in.
    """
    _prove(sessions, hand, old, "old")
    with sessions() as session:
        _check(new, people.known(session, hand.by), old)
    if new != repeated:
        raise BadInput("两次输入不一致 / the two do not agree", "repeated")
    digest = passwords.digest(new)
    with sessions.begin() as session:
        user = people.known(session, hand.by)
        user.password_hash, user.password_set_at, user.must_change = digest, hand.now, False
        people.end_sessions(session, user, hand.now, but=token_digest)
        audit.append(session, hand.audit_key, hand.now, hand.by, "user.change_password", f"user:{hand.by}")


def begin_second_factor(sessions: sessionmaker[Session], hand: Hand, password: str, issuer: str) -> Key:
    """A fresh key, shown once, against the password. Raises BadInput with the field `password`, NotAllowed where one is in force."""
    _prove(sessions, hand, password, "password")
    with sessions.begin() as session:
        user = people.known(session, hand.by)
        if second_factor.is_set(user):
            raise NotAllowed("动态口令已启用；更换手机须由管理员先解除 / the second factor is set: an administrator must remove it first")
        return second_factor.begin(hand.keys, user, issuer)


def confirm_second_factor(session: Session, hand: Hand, code: str) -> None:
    """Ask for codes from the next log-in on, if this one is right. Raises BadInput with the field `code`."""
    if not second_factor.confirm(session, hand.keys, people.known(session, hand.by), code, hand.now):
        raise BadInput(
            "动态口令不正确。请核对手机时间是否准确，用新显示的 6 位数字再试 / "
            "this code is not right: check the clock of the telephone, and try with the next six digits",
            "code",
        )
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.set_second_factor", f"user:{hand.by}")


def change_telephone(session: Session, hand: Hand, telephone: str) -> None:
    """Keep the number at which the own desk is called; empty for none. Raises BadInput with the field `telephone`."""
    user, wanted = people.known(session, hand.by), people.fit_telephone(telephone, hand.numbers)
    people.seal_telephone(hand.keys, user, wanted)
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.change_telephone", f"user:{hand.by}", given=wanted is not None)


def change_email(session: Session, hand: Hand, email: str) -> None:
    """Keep the address to which notices about orders are sent; empty for none. Raises BadInput with the field `email`."""
    user, wanted = people.known(session, hand.by), emails.fit_email(email)
    emails.seal_email(hand.keys, user, wanted)
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.change_email", f"user:{hand.by}", given=bool(wanted))


def _prove(sessions: sessionmaker[Session], hand: Hand, password: str, field: str) -> None:
    """Check the own password under the throttle of log-ins; the hash is computed while no transaction is open."""
    subjects = (throttle.account(hand.by),)
    with sessions.begin() as session:
        locked = throttle.is_locked(session, subjects, hand.now)
        noted = [] if locked else throttle.note_failures(session, subjects, hand.now)
        stored = people.known(session, hand.by).password_hash
    if not passwords.matches(stored, password) or locked:
        with sessions.begin() as session:
            audit.append(
                session, hand.audit_key, hand.now, hand.by, "login.refused", f"user:{hand.by}", locked=locked, asked="own password"
            )
        raise BadInput(
            "密码不正确，或尝试次数过多：连续失败 5 次须等待 15 分钟 / "
            "the password is not right, or there were too many attempts: after 5 failures one must wait 15 minutes",
            field,
        )
    with sessions.begin() as session:
        throttle.strike_out(session, noted)


def _check(new: str, user: User, old: str) -> None:
    """Whether it will do as a password. Raises BadInput."""
    names = [name.lower() for name in (user.name, user.display_name) if len(name) >= SHORTEST_NAME]
    if not SHORTEST_PASSWORD <= len(new) <= passwords.LONGEST:
        raise BadInput(
            f"新密码须为 {SHORTEST_PASSWORD}–{passwords.LONGEST} 个字符 / "
            f"the new password must have {SHORTEST_PASSWORD} to {passwords.LONGEST} characters",
            "new",
        )
    if any(name in new.lower() for name in names):
        raise BadInput("新密码不能含用户名或姓名 / the new password must not hold your name", "new")
    if new.isdigit() or len(set(new)) < FEWEST_CHARACTERS:
        raise BadInput(
            f"新密码不能全为数字，且至少含 {FEWEST_CHARACTERS} 种不同字符 / "
            f"the new password must not be digits alone, and needs at least {FEWEST_CHARACTERS} different characters",
            "new",
        )
    if new == old:
        raise BadInput("新密码不能与旧密码相同 / the new password must be another one", "new")
