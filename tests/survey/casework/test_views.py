"""What a reader sees: nobody's name or number without consent, and with it only against a reason (R33, R35, R63; O35, O39)."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from survey import casework
from survey.casework.attachments import LARGEST, SealedFile
from survey.errors import BadInput, CannotUnseal, NotAllowed, NotFound
from survey.order_moves import Actor
from survey.store import backup, restore, rotation
from survey.store.models import AuditEntry, Escalation, Incident, OrderAttachment
from survey.store.sealing import KeyRing, key_of
from survey.struck_out import STRUCK
from tests.conftest import RING
from tests.survey.casework.conftest import CENTRE, IMPROVED, INSPECTOR, LEADER, NAME, VISITED, Bureau

INDEX, OLD = RING.split(",")
BOTH = KeyRing.parse(f"{INDEX},k2:{'bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0='},{OLD}")
PDF, PNG, JPEG = b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."


def words(value: Any) -> list[str]:
    """Every text anywhere in a view."""
    if dataclasses.is_dataclass(value):
        return [word for field in dataclasses.fields(value) for word in words(getattr(value, field.name))]
    if isinstance(value, dict):
        return [word for pair in value.items() for part in pair for word in words(part)]
    if isinstance(value, tuple | list):
        return [word for each in value for word in words(each)]
    return [str(value)]


def disclose(bureau: Bureau, order_id: str, actor: Actor, reason: str = "上门核实") -> casework.Contact:
    with bureau.ground.work() as work:
        return casework.disclose_contact(work.session, bureau.ground.office, order_id, actor, reason, bureau.now)


def test_the_builder_of_this_test_finds_what_it_looks_for() -> None:
    assert NAME in words(((NAME,), {"a": [NAME]}))


@pytest.mark.parametrize("consent", ["no", "unasked"])
def test_without_consent_neither_name_nor_number_comes_out_for_anybody(bureau: Bureau, consent: str) -> None:
    [order_id] = bureau.issued(consent=consent)
    bureau.answered(order_id, IMPROVED)
    with bureau.ground.sessions() as session:
        incident = session.scalars(select(Incident)).one()
        number = bureau.ground.office.keys.open(incident.phone_sealed, f"incidents.phone_sealed:{incident.public_id}") or ""

    for reader in (bureau.unit(order_id), CENTRE, INSPECTOR, LEADER, Actor("a", "auditor"), Actor("o", "operator")):
        view = bureau.view(order_id, reader)
        assert not view.may_be_contacted
        assert not [word for word in words(view) if NAME in word or number in word or number[-11:] in word]
        with pytest.raises(NotAllowed, match=r"did not agree|role"):
            disclose(bureau, order_id, reader)


def test_whatever_people_typed_the_page_shows_neither_name_nor_number(bureau: Bureau) -> None:
    typed = f"已向{NAME[0]}.{NAME[1:]}（100-0000-0000）说明"
    [order_id] = bureau.issued(consent="no")
    unit, head = bureau.unit(order_id), bureau.unit(order_id, head=True)
    bureau.do("appeal", order_id, unit, "untrue", typed, items=("speed",))
    bureau.do("decide_appeal", order_id, CENTRE, is_upheld=False, reason=typed)
    bureau.do("ask_extension", order_id, head, 2, typed, bureau.terms)
    bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason=typed, terms=bureau.terms)
    with bureau.ground.work() as work:
        file = SealedFile("a" * 32, "attachments/aa", "", "image/png", 1)
        casework.attach(
            work.session, bureau.ground.office, order_id, unit, bureau.order(order_id).version, file, f"{typed}.png", bureau.now
        )
    bureau.answered(order_id, dataclasses.replace(IMPROVED, explanation=typed, improvement=typed))
    bureau.do("return_", order_id, CENTRE, typed, bureau.terms)

    for reader in (unit, CENTRE, INSPECTOR, LEADER):
        told = words(bureau.view(order_id, reader))
        assert not [word for word in told if NAME[1:] in word or "0000-0000" in word]
        assert sum(STRUCK in word for word in told) >= 9
    with bureau.ground.sessions() as session:
        attachment = session.scalars(select(OrderAttachment)).one()
        assert NAME[1:] not in casework.file_name(session, bureau.ground.office, attachment)


def test_with_consent_the_unit_gets_both_against_a_reason_that_is_kept(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(BadInput, match="reason is needed"):
        disclose(bureau, order_id, bureau.unit(order_id), " ")
    contact = disclose(bureau, order_id, bureau.unit(order_id))

    assert contact.name == NAME
    assert (contact.number or "").startswith("+86100")
    assert NAME not in repr(contact)
    with bureau.ground.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "order.contact")).one()
    assert (entry.actor, entry.details) == ("officer.zhou", '{"reason":"上门核实"}')
    assert NAME not in words(bureau.view(order_id, CENTRE)), "the page itself never shows it"


def test_consent_that_is_taken_back_holds_for_an_order_that_is_out(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(consent="no"))

    assert not bureau.view(order_id, CENTRE).may_be_contacted
    with pytest.raises(NotAllowed):
        disclose(bureau, order_id, bureau.unit(order_id))


def test_consent_that_is_given_later_holds_for_an_order_that_is_out(bureau: Bureau) -> None:
    [order_id] = bureau.issued(consent="unasked")
    unit = bureau.unit(order_id)
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(consent="yes"))

    view = bureau.view(order_id, unit)
    assert (view.consent, view.may_be_contacted, view.may_disclose) == ("yes", True, True)
    assert disclose(bureau, order_id, unit).name == NAME
    assert bureau.answered(order_id, VISITED).state == "answered", "the unit may visit, and says so"


def test_once_an_order_has_ended_nobody_opens_who_it_was(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    unit = bureau.unit(order_id)
    bureau.do("void", order_id, CENTRE, "误发")

    assert not bureau.view(order_id, unit).may_disclose
    with pytest.raises(NotAllowed, match="has ended"):
        disclose(bureau, order_id, unit)


@pytest.mark.parametrize("role", ["commander", "auditor", "operator"])
def test_who_need_not_visit_anybody_gets_no_name(bureau: Bureau, role: str) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(NotAllowed, match="role"):
        disclose(bureau, order_id, Actor("x", role))


def test_an_administrator_of_scripts_reads_no_order(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    with pytest.raises(NotFound):
        bureau.view(order_id, Actor("root", "administrator"))


def test_the_buttons_are_those_that_the_state_allows(bureau: Bureau) -> None:
    [order_id] = bureau.issued()

    assert bureau.view(order_id, bureau.unit(order_id)).actions == ("sign", "appeal", "attach")
    assert "ask_extension" in bureau.view(order_id, bureau.unit(order_id, head=True)).actions
    assert bureau.view(order_id, Actor("a", "auditor")).actions == ()


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_an_attachment_is_known_by_its_content(content: bytes, kind: str) -> None:
    assert casework.kind_of(content) == kind


@pytest.mark.parametrize(
    "content", [b"", b"MZ\x90 photo.jpg", b"<script>", b"%PDF-" + b"x" * LARGEST], ids=["empty", "program", "page", "big"]
)
def test_anything_else_is_refused_whatever_it_is_called(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        casework.keep_file(BOTH, tmp_path, content)
    assert list(tmp_path.iterdir()) == []


def test_an_attachment_lies_sealed_and_only_who_sees_the_order_reads_it(bureau: Bureau, tmp_path: Path) -> None:
    [order_id] = bureau.issued()
    keys = bureau.ground.office.keys
    file = casework.keep_file(keys, tmp_path, PDF)
    attachment: Any = bureau.do("attach", order_id, bureau.unit(order_id), file, "C:\\回复\\赵小满 谈话.pdf")

    lying = (tmp_path / file.path).read_bytes()
    assert PDF not in lying
    assert (tmp_path / file.path).stat().st_mode & 0o777 == 0o600
    assert casework.read_file(keys, tmp_path, attachment) == PDF
    assert [each.name for each in bureau.view(order_id, CENTRE).attachments] == [f"{STRUCK} 谈话.pdf"]
    with bureau.ground.work() as work:
        casework.permit_reading(work.session, bureau.ground.office, file.public_id, CENTRE, bureau.now)
        with pytest.raises(NotFound):
            casework.permit_reading(work.session, bureau.ground.office, file.public_id, Actor("w", "unit", 999), bureau.now)
    with bureau.ground.sessions() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.action == "attachment.read")) == 1


def test_an_attachment_that_was_moved_to_anothers_place_does_not_open(bureau: Bureau, tmp_path: Path) -> None:
    keys = bureau.ground.office.keys
    first, second = casework.keep_file(keys, tmp_path, PDF), casework.keep_file(keys, tmp_path, PNG)
    (tmp_path / first.path).replace(tmp_path / second.path)

    with pytest.raises(CannotUnseal):
        casework.read_file(keys, tmp_path, OrderAttachment(public_id=second.public_id, path=second.path))


def test_an_attachment_is_in_the_backup(bureau: Bureau, audit_key: bytes, tmp_path: Path) -> None:
    [order_id] = bureau.issued()
    file = casework.keep_file(bureau.ground.office.keys, tmp_path, PDF)
    bureau.do("attach", order_id, bureau.unit(order_id), file, "a.pdf")
    secrets = backup.Secrets(audit_key)
    made, manifest = backup.make(bureau.ground.engine, tmp_path, tmp_path / "backups", secrets, bureau.now, "test")
    (tmp_path / file.path).rename(tmp_path / "elsewhere")

    assert restore.unpack_recordings(made, manifest, secrets, tmp_path) == manifest.recordings == 1
    assert (tmp_path / file.path).read_bytes() == (tmp_path / "elsewhere").read_bytes()


def test_replies_appeals_decisions_and_attachments_get_the_new_key(bureau: Bureau, tmp_path: Path) -> None:
    [order_id] = bureau.issued()
    file = casework.keep_file(bureau.ground.office.keys, tmp_path, PDF)
    bureau.do("attach", order_id, bureau.unit(order_id), file, "a.pdf")
    bureau.answered(order_id, VISITED)
    bureau.do("appeal", order_id, bureau.unit(order_id), "untrue", "评价与事实不符")

    rotation.rotate(bureau.ground.sessions, BOTH, tmp_path)

    assert set(rotation.counted(bureau.ground.sessions, tmp_path)) == {"k2"}
    assert key_of((tmp_path / file.path).read_bytes()) == "k2"
    assert casework.read_file(BOTH, tmp_path, OrderAttachment(public_id=file.public_id, path=file.path)) == PDF
    bureau.ground.office = dataclasses.replace(bureau.ground.office, keys=BOTH)
    view = bureau.view(order_id, CENTRE)
    assert view.appeal is not None
    assert (view.replies[0].people, view.appeal.argument, view.attachments[0].name) == ("钱所长", "评价与事实不符", "a.pdf")
