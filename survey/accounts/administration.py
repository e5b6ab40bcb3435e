"""What an administrator does with accounts, in the console or by `user`: each act stands in the audit trail, no secret does."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.accounts import emails, people, second_factor, throttle
from survey.accounts.people import Hand, NewAccount
from survey.accounts.roles import ADMINISTRATOR, UNIT
from survey.errors import NotAllowed
from survey.store import audit
from survey.store.models import User


@dataclass(frozen=True)
class Change:
    """What an account is to be; None leaves it as it is. An empty `telephone` or `email` takes it away; `unit` and
    `is_head` go with the role.
    """

    display_name: str | None = None
    role: str | None = None
    unit: str | None = None
    telephone: str | None = None
    email: str | None = None
    is_head: bool | None = None


def add(session: Session, hand: Hand, new: NewAccount) -> str:
    """Create an account; its random first password must be changed at the first log-in. Raises BadInput."""
    telephone, email = people.fit_telephone(new.telephone, hand.numbers), emails.fit_email(new.email)
    password = people.add_user(session, new.name, new.role, new.display_name, hand.now, new.unit)
    user = people.known(session, new.name)
    user.must_change, user.is_head = True, people.fit_head(new.role, new.is_head)
    people.seal_telephone(hand.keys, user, telephone)
    emails.seal_email(hand.keys, user, email)
    head = {"head": True} if new.is_head else {}
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.add", f"user:{new.name}", role=new.role, unit=new.unit, **head)
    return password


def change(session: Session, hand: Hand, name: str, wanted: Change) -> None:
    """Change an account's name as shown, role and unit, telephone or e-mail; in force from its next request on.

    Raises BadInput, NotFound, and NotAllowed where no administrator would be left.
    """
    user = people.known(session, name)
    changed = [*_rename(user, wanted), *_move(session, hand, user, wanted), *_appoint(user, wanted)]
    changed += [*_reach(hand, user, wanted), *_write_to(hand, user, wanted)]
    if changed:
        told = {"role": user.role, "unit": user.unit_id} if "role" in changed or "unit" in changed else {}
        told |= {"head": user.is_head} if "head" in changed else {}
        audit.append(session, hand.audit_key, hand.now, hand.by, "user.change", f"user:{name}", changed=sorted(changed), **told)


def renew_password(session: Session, hand: Hand, name: str) -> str:
    """Give a new random password, to be changed at the next log-in; ends the account's log-ins, lifts its lock.

    Raises NotFound, and NotAllowed for the own one, which is changed against the old password.
    """
    if name == hand.by:
        zh, en = "不能重设自己的密码，请在“我的账号”更换", "you cannot renew your own password: change it on the page of your account"
        raise NotAllowed(f"{zh} / {en}")
    password = people.renew_password(session, name, hand.now)
    people.known(session, name).must_change = True
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.renew_password", f"user:{name}")
    return password


def disable(session: Session, hand: Hand, name: str) -> None:
    """Shut an account out from its next request on. Raises NotFound, and NotAllowed for the own one and the last administrator."""
    user = people.known(session, name)
    if name == hand.by:
        raise NotAllowed("不能停用自己的账号，请另一名管理员办理 / you cannot disable your own account: ask another administrator")
    _keep_one_administrator(session, user)
    people.disable_user(session, name, hand.now)
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.disable", f"user:{name}")


def enable(session: Session, hand: Hand, name: str) -> None:
    """Let a disabled account in again, with the password that it had. Raises NotFound."""
    people.known(session, name).disabled_at = None
    throttle.forgive(session, name)
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.enable", f"user:{name}")


def remove_second_factor(session: Session, hand: Hand, name: str) -> None:
    """Ask the account for no code any more, because its telephone is lost; ends its log-ins.

    Raises NotFound, and NotAllowed for the own one and for one that has none.
    """
    user = people.known(session, name)
    if name == hand.by:
        zh, en = "不能解除自己的动态口令，请另一名管理员办理", "you cannot remove your own second factor: ask another administrator"
        raise NotAllowed(f"{zh} / {en}")
    if not second_factor.is_set(user):
        raise NotAllowed(f"用户“{name}”未启用动态口令 / the user “{name}” has no second factor")
    second_factor.remove(user)
    people.end_sessions(session, user, hand.now)
    throttle.forgive(session, name)
    audit.append(session, hand.audit_key, hand.now, hand.by, "user.remove_second_factor", f"user:{name}")


def _rename(user: User, wanted: Change) -> list[str]:
    if wanted.display_name is None:
        return []
    name, user.display_name = user.display_name, people.fit_display(wanted.display_name) or user.name
    return ["display_name"] if name != user.display_name else []


def _move(session: Session, hand: Hand, user: User, wanted: Change) -> list[str]:
    role = user.role if wanted.role is None else people.known_role(wanted.role)
    if wanted.unit is None and role == user.role:
        return []
    if role != user.role:
        if user.name == hand.by:
            raise NotAllowed("不能更改自己的角色，请另一名管理员办理 / you cannot change your own role: ask another administrator")
        _keep_one_administrator(session, user)
    before = (user.role, user.unit_id)
    user.role, user.unit_id = role, people.unit_for(session, role, wanted.unit or "")
    return [name for name, old, new in zip(("role", "unit"), before, (user.role, user.unit_id), strict=True) if old != new]


def _appoint(user: User, wanted: Change) -> list[str]:
    """Who leaves the unit's role is its head no longer."""
    before, stays = user.is_head, user.is_head and user.role == UNIT
    user.is_head = stays if wanted.is_head is None else people.fit_head(user.role, wanted.is_head)
    return ["head"] if user.is_head != before else []


def _reach(hand: Hand, user: User, wanted: Change) -> list[str]:
    if wanted.telephone is None:
        return []
    telephone = people.fit_telephone(wanted.telephone, hand.numbers)
    if (telephone or "") == people.telephone_of(hand.keys, user.name, user.telephone_sealed):
        return []
    people.seal_telephone(hand.keys, user, telephone)
    return ["telephone"]


def _write_to(hand: Hand, user: User, wanted: Change) -> list[str]:
    if wanted.email is None:
        return []
    email = emails.fit_email(wanted.email)
    if email == emails.email_of(hand.keys, user.name, user.email_sealed):
        return []
    emails.seal_email(hand.keys, user, email)
    return ["email"]


def _keep_one_administrator(session: Session, user: User) -> None:
    """Raises NotAllowed for the last one. Who shuts out another at the same moment waits here, and counts what is left then.

    The rows are locked in one order and before any of them is written, so that two who act on each other never wait for each other.
    """
    standing = select(User.id).where(User.role == ADMINISTRATOR, User.disabled_at.is_(None)).order_by(User.id)
    if session.scalars(standing.with_for_update(key_share=True).execution_options(autoflush=False)).all() == [user.id]:
        raise NotAllowed("这是最后一名管理员 / this is the last administrator")
