"""Accounts: first passwords, the throttle as a rule, equal work for every refusal (RS52, RS53)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from survey import accounts
from survey.accounts import ROLES, Hand, LoggedIn, NewAccount, Refused, administration, people, second_factor
from survey.accounts.administration import Change
from survey.errors import BadInput, CannotUnseal, NotAllowed, NotFound
from survey.phone import NumberPolicy
from survey.store import passwords, rotation
from survey.store.models import LoginFailure, Unit, User, UserSession
from survey.store.sealing import KeyRing, key_of

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_NOBODY", hasher.hash("nobody"))


def _add(sessions: sessionmaker[Session], name: str = "li") -> str:
    with sessions.begin() as session:
        return accounts.add_user(session, name, "operator", "李接听", NOW)


def _log_in(sessions, audit_key, password: str, name: str = "li", address: str = "10.0.0.1", now: datetime = NOW):
    return accounts.log_in(sessions, name, password, address, "zh", now, audit_key)


def test_passwords_are_argon2id_and_the_right_one_alone_matches():
    stored = passwords.digest("correct horse")

    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "correct horse")
    assert not passwords.matches(stored, "correct horse ")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("not a hash", "correct horse")


@pytest.mark.usefixtures("quick")
def test_an_office_that_logs_in_at_one_moment_from_one_address_gets_in_as_a_whole(sessions, audit_key, monkeypatch):
    names = [f"officer{number}" for number in range(8)]
    given = {name: _add(sessions, name) for name in names}
    together, verify = threading.Barrier(len(names)), passwords.matches

    def match_together(stored: str | None, password: str) -> bool:
        together.wait(timeout=60)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "matches", match_together)
    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(lambda name: _log_in(sessions, audit_key, given[name], name), names))

    assert [type(one) for one in done] == [LoggedIn] * len(names)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ending", ["renewed", "disabled"])
def test_a_log_in_under_way_while_the_password_is_renewed_or_the_account_disabled_is_refused(sessions, audit_key, monkeypatch, ending):
    old, verify = _add(sessions), passwords.matches

    def be_overtaken(stored: str | None, password: str) -> bool:
        with sessions.begin() as session:
            if ending == "renewed":
                people.renew_password(session, "li", NOW)
            else:
                session.execute(update(User).where(User.name == "li").values(disabled_at=NOW))
        return verify(stored, password)

    monkeypatch.setattr(passwords, "matches", be_overtaken)

    assert isinstance(_log_in(sessions, audit_key, old), Refused)


def test_nobodys_hash_costs_what_everybodys_does():
    costs = [extract_parameters(stored) for stored in (passwords._NOBODY, passwords.digest("correct horse"))]

    assert costs[0] == costs[1]


def test_invented_passwords_are_long_and_never_the_same():
    invented = {passwords.invent() for _ in range(200)}

    assert len(invented) == 200
    assert all(len(one.replace("-", "")) == 16 for one in invented)
    assert not any(letter in one for one in invented for letter in "il1o0")


@pytest.mark.usefixtures("quick")
def test_the_first_password_opens_the_door(sessions, audit_key):
    result = _log_in(sessions, audit_key, _add(sessions))

    assert isinstance(result, LoggedIn)
    assert (result.visitor.name, result.visitor.role, result.visitor.display_name) == ("li", "operator", "李接听")
    with sessions() as session:
        assert accounts.find_session(session, result.token, NOW) == result.visitor
        assert accounts.find_session(session, "another token", NOW) is None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["", "Li", "李", "a", "x" * 33, "a b", "1a", "a\nb", "x" * 5000, "a\u2028b"])
def test_names_that_cannot_be_typed_everywhere_are_refused_in_one_line(sessions, name):
    with sessions.begin() as session, pytest.raises(BadInput) as refused:
        accounts.add_user(session, name, "operator", "", NOW)

    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 250
    assert "不能作用户名" in str(refused.value).partition(" / ")[0]


@pytest.mark.usefixtures("quick")
def test_a_taken_name_and_an_unknown_role_are_refused(sessions):
    _add(sessions)

    with sessions.begin() as session:
        with pytest.raises(BadInput, match="taken"):
            accounts.add_user(session, "li", "operator", "", NOW)
        with pytest.raises(BadInput, match="role"):
            accounts.add_user(session, "wang", "root", "", NOW)


@pytest.mark.usefixtures("quick")
def test_every_refusal_computes_one_hash(sessions, audit_key, monkeypatch):
    right = _add(sessions)
    computed = []
    verify = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda stored, password: computed.append(1) or verify(stored, password))

    _log_in(sessions, audit_key, "wrong")
    _log_in(sessions, audit_key, "wrong", name="nobody")
    for n in range(5):
        _log_in(sessions, audit_key, "wrong", name=f"nobody{n}", address="10.0.0.2")
    locked = _log_in(sessions, audit_key, right, address="10.0.0.2")

    assert isinstance(locked, Refused)
    assert len(computed) == 8


@pytest.mark.usefixtures("quick")
def test_the_fifth_failure_locks_from_then_on_for_fifteen_minutes(sessions, audit_key):
    right = _add(sessions)
    for n in range(5):
        _log_in(sessions, audit_key, "wrong", address=f"10.0.0.{n}", now=NOW + timedelta(minutes=n))
    last = NOW + timedelta(minutes=4)

    just_before = _log_in(sessions, audit_key, right, address="10.0.1.1", now=last + timedelta(minutes=15, seconds=-1))
    after = _log_in(sessions, audit_key, right, address="10.0.1.1", now=last + timedelta(minutes=15))

    assert isinstance(just_before, Refused)
    assert isinstance(after, LoggedIn)


@pytest.mark.usefixtures("quick")
def test_trying_while_locked_does_not_prolong_the_lock(sessions, audit_key):
    right = _add(sessions)
    for n in range(5):
        _log_in(sessions, audit_key, "wrong", address=f"10.0.0.{n}")
    for n in range(9):
        _log_in(sessions, audit_key, "wrong", address=f"10.0.1.{n}", now=NOW + timedelta(minutes=14))

    assert isinstance(_log_in(sessions, audit_key, right, address="10.0.2.1", now=NOW + timedelta(minutes=15)), LoggedIn)


@pytest.mark.usefixtures("quick")
def test_failures_far_apart_do_not_lock(sessions, audit_key):
    right = _add(sessions)
    for n in range(8):
        _log_in(sessions, audit_key, "wrong", now=NOW + timedelta(minutes=4 * n))

    assert isinstance(_log_in(sessions, audit_key, right, now=NOW + timedelta(minutes=29)), LoggedIn)


@pytest.mark.usefixtures("quick")
def test_a_right_password_strikes_out_the_failures_of_the_account(sessions, audit_key):
    right = _add(sessions)
    for _ in range(4):
        _log_in(sessions, audit_key, "wrong")
    _log_in(sessions, audit_key, right)

    with sessions() as session:
        subjects = [one.subject for one in session.scalars(select(LoginFailure))]
    assert subjects == ["address:10.0.0.1"] * 4


@pytest.mark.usefixtures("quick")
def test_a_disabled_account_is_refused_and_its_sessions_end(sessions, audit_key):
    right = _add(sessions)
    open_session = _log_in(sessions, audit_key, right)
    with sessions.begin() as session:
        accounts.disable_user(session, "li", NOW)

    assert isinstance(_log_in(sessions, audit_key, right), Refused)
    with sessions() as session:
        assert accounts.find_session(session, open_session.token, NOW) is None


@pytest.mark.usefixtures("quick")
def test_a_new_password_replaces_the_old_one_and_ends_sessions(sessions, audit_key):
    old = _add(sessions)
    _log_in(sessions, audit_key, old)
    with sessions.begin() as session:
        new = accounts.renew_password(session, "li", NOW)

    assert isinstance(_log_in(sessions, audit_key, old), Refused)
    assert isinstance(_log_in(sessions, audit_key, new), LoggedIn)
    with sessions() as session:
        assert [one.ended_at for one in session.scalars(select(UserSession).order_by(UserSession.created_at))].count(NOW) == 1
        assert old not in session.scalars(select(User.password_hash)).one()


@pytest.mark.usefixtures("quick")
def test_an_account_that_does_not_exist_cannot_be_changed(sessions):
    with sessions.begin() as session:
        for change in (accounts.disable_user, accounts.renew_password):
            with pytest.raises(NotFound):
                change(session, "nobody", NOW)


@pytest.fixture
def hand(keys, audit_key) -> Hand:
    """An administrator at work."""
    return Hand("chief", NOW, keys, audit_key, NumberPolicy())


@pytest.fixture
def unit(sessions) -> str:
    with sessions.begin() as session:
        session.add(Unit(code="east", name="城东派出所"))
    return "east"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("role", ROLES)
def test_a_unit_user_has_a_unit_and_nobody_else_may(sessions, hand, unit, role):
    with sessions.begin() as session:
        with pytest.raises(BadInput) as refused:
            administration.add(session, hand, NewAccount("li", role, unit="" if role == "unit" else unit))
        administration.add(session, hand, NewAccount("wang", role, unit=unit if role == "unit" else ""))

    assert refused.value.field == "unit"
    with sessions() as session:
        assert (people.known(session, "wang").unit_id is not None) == (role == "unit")


@pytest.mark.usefixtures("quick")
def test_the_last_administrator_stays(sessions, hand):
    with sessions.begin() as session:
        administration.add(session, hand, NewAccount("first", "administrator"))
        administration.add(session, hand, NewAccount("second", "administrator"))
        administration.disable(session, hand, "first")
        for act in (
            lambda: administration.disable(session, hand, "second"),
            lambda: administration.change(session, hand, "second", Change(role="auditor")),
        ):
            with pytest.raises(NotAllowed, match="last administrator"):
                act()
        administration.enable(session, hand, "first")
        administration.change(session, hand, "second", Change(role="auditor"))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_demoted", [False, True])
def test_of_two_administrators_who_shut_each_other_out_at_once_one_stays(sessions, hand, is_demoted):
    def shut_out(session: Session, name: str, by: str) -> None:
        mine = replace(hand, by=by)
        if is_demoted:
            administration.change(session, mine, name, Change(display_name="不再管理", role="auditor"))
        else:
            administration.disable(session, mine, name)

    def second() -> None:
        with sessions.begin() as session:
            shut_out(session, "first", "second")

    with sessions.begin() as session:
        for name in ("first", "second"):
            administration.add(session, hand, NewAccount(name, "administrator"))
    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            shut_out(session, "second", "first")
            other = pool.submit(second)
            with sessions() as looking:
                while not looking.scalar(BLOCKED) and not other.done():
                    looking.rollback()
        with pytest.raises(NotAllowed, match="last administrator"):
            other.result()

    with sessions() as session:
        standing = select(User.name).where(User.role == "administrator", User.disabled_at.is_(None))
        assert session.scalars(standing).all() == ["first"]


@pytest.mark.usefixtures("quick")
def test_a_role_changes_without_touching_what_was_not_named(sessions, hand, unit):
    with sessions.begin() as session:
        administration.add(session, hand, NewAccount("li", "operator", "李接听", telephone="13800138000"))
        administration.change(session, hand, "li", Change(role="unit", unit=unit))

        user = people.known(session, "li")
        assert (user.display_name, people.telephone_of(hand.keys, "li", user.telephone_sealed)) == ("李接听", "+8613800138000")


@pytest.mark.usefixtures("quick")
def test_what_is_sealed_opens_for_its_own_account_alone_and_after_a_rotation(sessions, hand, audit_key, tmp_path):
    with sessions.begin() as session:
        for name, telephone in (("li", "13800138000"), ("wang", "sip:12@pbx")):
            administration.add(session, hand, NewAccount(name, "operator", telephone=telephone))
        second_factor.begin(hand.keys, people.known(session, "li"), "x")
    both = KeyRing("k2", {**hand.keys.keys, "k2": AESGCM(b"2" * 32)}, hand.keys.index_key)

    assert rotation.rotate(sessions, both, tmp_path) == 3

    with sessions() as session:
        li, wang = people.known(session, "li"), people.known(session, "wang")
        assert key_of(li.totp_secret_sealed) == key_of(li.telephone_sealed) == "k2"
        assert people.telephone_of(both, "wang", wang.telephone_sealed) == "sip:12@pbx"
        with pytest.raises(CannotUnseal):
            people.telephone_of(both, "li", wang.telephone_sealed)


@given(
    st.integers(min_value=10**9, max_value=2 * 10**9), st.lists(st.integers(min_value=-2, max_value=3), min_size=1, max_size=8),
)  # fmt: skip
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_codes_are_taken_in_the_order_of_their_steps_each_once_and_none_from_afar(sessions, keys, start, offsets):
    """Whatever codes are tried at one moment: only those of the present step and its neighbours, and only ever newer ones."""
    now = datetime.fromtimestamp(start, UTC)
    with sessions() as session:
        user = User(name="li", display_name="李", role="operator", password_hash="", created_at=NOW)
        session.add(user)
        key = second_factor.begin(keys, user, "x")
        session.flush()
        clock = pyotp.TOTP(key.groups.replace(" ", ""))
        newest = None
        for offset in offsets:
            moment = now + timedelta(seconds=30 * offset)
            expected = -1 <= offset <= 1 and (newest is None or offset > newest)
            assert second_factor.take(session, keys, user, clock.at(moment), now) == expected
            newest = offset if expected else newest
        session.rollback()


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34 5", "-12345", "1234٥6"])
def test_what_is_no_six_digits_is_no_code(sessions, keys, code):
    with sessions() as session:
        user = User(name="li", display_name="李", role="operator", password_hash="", created_at=NOW)
        session.add(user)
        second_factor.begin(keys, user, "x")
        session.flush()

        assert not second_factor.take(session, keys, user, code, NOW)


def test_an_account_without_a_key_takes_no_code(sessions, keys):
    with sessions() as session:
        user = User(name="li", display_name="李", role="operator", password_hash="", created_at=NOW)
        session.add(user)
        session.flush()

        assert not second_factor.take(session, keys, user, "000000", NOW)
        assert not second_factor.is_set(user)


@given(st.text(max_size=40))
def test_a_desk_telephone_is_none_or_e164_or_sip_or_refused_without_being_repeated(typed):
    refused, found = None, None
    try:
        found = people.fit_telephone(typed, NumberPolicy())
    except BadInput as problem:
        refused = problem

    assert refused is None or refused.field == "telephone"
    assert refused is None or len(typed.strip()) < 4 or typed.strip() not in str(refused)
    assert found is None or people.E164.fullmatch(found) or people.SIP.fullmatch(found)


def test_the_bureaus_own_lines_may_be_desk_telephones():
    assert people.fit_telephone("010-6552 1234", NumberPolicy(own_numbers=("+861065521234",))) == "+861065521234"


def test_only_an_account_of_a_unit_can_be_that_of_its_head_and_leaves_that_with_the_role(session, keys, audit_key):
    """Who heads a unit asks for extensions (R52)."""
    session.add(Unit(code="south", name="城南派出所"))
    session.flush()
    hand = Hand("admin", NOW, keys, audit_key, NumberPolicy(fictitious=True))
    with pytest.raises(BadInput) as refused:
        administration.add(session, hand, NewAccount("li", "operator", is_head=True))
    assert refused.value.field == "head"
    administration.add(session, hand, NewAccount("sun", "unit", unit="south", is_head=True))
    administration.add(session, hand, NewAccount("zhou", "unit", unit="south"))

    administration.change(session, hand, "zhou", Change(is_head=True))
    administration.change(session, hand, "sun", Change(role="operator"))

    assert (people.known(session, "zhou").is_head, people.known(session, "sun").is_head) == (True, False)
    with pytest.raises(BadInput):
        administration.change(session, hand, "sun", Change(is_head=True))
