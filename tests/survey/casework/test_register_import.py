"""A file of the on-site register: what comes in, what is refused with place and remedy, what a second import changes (R1)."""

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from survey.casework.register_import import RegisterIntake, RegisterReport, import_register
from survey.errors import BadInput
from survey.incidents.register_table import mapping_with
from survey.incidents.sniffing import Limits, Unreadable
from survey.store.models import AuditEntry, Incident, RegisterEntry, Unit
from survey.store.queries.register import signed_by
from tests.survey.casework.conftest import Bureau

ZONE = ZoneInfo("Asia/Shanghai")
HEAD = "警情编号,签字情况,登记民警,登记时间,原因\n"


@pytest.fixture
def house(bureau: Bureau) -> Bureau:
    """Three incidents J000000 to J000002, reported on 24 February 2026."""
    bureau.ground.launch(3)
    return bureau


def bring(house: Bureau, tmp_path: Path, content: str | bytes, unit: int | None = None, **mapping: tuple[str, ...]) -> RegisterReport:
    path = tmp_path / "register"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    intake = RegisterIntake(house.ground.office, mapping_with(ZONE, **mapping), "centre.li", house.now, unit, Limits(text_bytes=1 << 20))
    return import_register(house.ground.work, intake, path, tmp_path / "rejects.csv")


def entries(house: Bureau) -> list[tuple[str, str, str, str]]:
    with house.ground.sessions() as session:
        found = session.execute(select(Incident.number, RegisterEntry).join(RegisterEntry.incident).order_by(Incident.number))
        return [(number, entry.state, signed_by(house.ground.office.keys, entry), entry.reason) for number, entry in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_entries_come_in_with_state_officer_time_and_reason(house: Bureau, tmp_path: Path, encoding: str) -> None:
    text = HEAD + "J000000,已签字,周警官,2026-02-25 09:30,\nJ000001,拒签,周警官,2026/02/25 10:00,\n"
    text += "J000002,无法签字,吴警官,2026年2月25日 11:00,住院\n"

    report = bring(house, tmp_path, text.encode(encoding))

    assert (report.counts.read, report.counts.new, report.counts.rejected, report.rejects) == (3, 3, 0, None)
    assert entries(house) == [
        ("J000000", "signed", "周警官", ""), ("J000001", "refused", "周警官", ""), ("J000002", "unable", "吴警官", "住院"),
    ]  # fmt: skip
    with house.ground.sessions() as session:
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action.like("register.%"))).all()
        assert [(one.action, one.actor) for one in trail] == [*[("register.enter", "centre.li")] * 3, ("register.import", "centre.li")]
        assert {entry.by for entry in session.scalars(select(RegisterEntry))} == {""}


def test_a_second_import_changes_nothing_and_a_contradiction_is_refused(house: Bureau, tmp_path: Path) -> None:
    bring(house, tmp_path, HEAD + "J000000,已签字,周警官,2026-02-25 09:30,\n")
    again = bring(house, tmp_path, HEAD + "J000000,已签字,周警官,2026-02-25 09:30,\nJ000000,拒签,周警官,2026-02-25 09:30,\n")

    assert (again.counts.new, again.counts.known, again.counts.rejected) == (0, 1, 1)
    assert "内容不同" in again.rejections[0].zh
    assert entries(house) == [("J000000", "signed", "周警官", "")]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("J999999,已签字,周警官,2026-02-25 09:30,", "警情编号", "没有这起警情"),
        (",已签字,周警官,2026-02-25 09:30,", "警情编号", "没有警情编号"),
        ("J000000,也许,周警官,2026-02-25 09:30,", "签字情况", "看不懂"),
        ("J000000,=1+1,周警官,2026-02-25 09:30,", "签字情况", "看不懂"),
        ("J000000,已签字,,2026-02-25 09:30,", "登记民警", "没有登记民警"),
        ("J000000,已签字,周警官,昨天,", "登记时间", "看不懂的时间"),
        ("J000000,已签字,周警官,2026-02-01 09:30,", "登记时间", "早于报警"),
        ("J000000,已签字,周警官,2036-02-25 09:30,", "登记时间", "将来"),
        ("J000000,无法签字,周警官,2026-02-25 09:30,", "原因", "须写明原因"),
    ],
)
def test_a_line_that_cannot_be_used_is_written_to_a_file_with_place_and_remedy(
    house: Bureau, tmp_path: Path, line: str, column: str, words: str
) -> None:
    report = bring(house, tmp_path, f"{HEAD}J000001,已签字,周警官,2026-02-25 09:30,\n{line}\n")

    assert (report.counts.new, report.counts.rejected) == (1, 1)
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig") as file:
        _head, told = csv.reader(file)
    assert (told[0], told[1], words in told[4]) == ("3", column, True), told
    assert told[6]
    assert told[7]
    assert not told[2].startswith("=")


def test_a_bureau_names_its_own_headers_and_words(house: Bureau, tmp_path: Path) -> None:
    text = "事件号,签名,警员,何时\nJ000000,签过了,周警官,2026-02-25 09:30\n"
    columns = ("number=事件号", "state=签名", "by=警员", "at=何时")

    assert bring(house, tmp_path, text, columns=columns, words=("签过了=signed",)).counts.new == 1


@pytest.mark.parametrize("faulty", [{"columns": ("nummer=x",)}, {"columns": ("number",)}, {"words": ("x=perhaps",)}])
def test_a_mapping_that_says_nothing_is_refused(faulty: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadInput):
        mapping_with(ZONE, **faulty)


def test_a_unit_enters_only_what_is_its_own(house: Bureau, tmp_path: Path) -> None:
    with house.ground.work() as work:
        other = Unit(code="other", name="城西派出所")
        work.session.add(other)
        work.session.flush()
        unit = other.id

    report = bring(house, tmp_path, HEAD + "J000000,已签字,周警官,2026-02-25 09:30,\n", unit)

    assert (report.counts.new, report.counts.rejected, report.rejections[0].zh) == (0, 1, "没有这起警情")
    assert entries(house) == []


def test_a_workbook_comes_in_with_its_dates(house: Bureau, tmp_path: Path) -> None:
    book, stream = Workbook(), io.BytesIO()
    at = (house.now - timedelta(days=10)).replace(tzinfo=None)
    for row in (
        ("处警登记簿",),
        ("警情编号", "签字情况", "登记民警", "登记时间"),
        ("J000000", "已签字", "=HYPERLINK(1)", at),
        ("J000001", "已签字", "周", at),
    ):
        book.active.append(row)
    book.save(stream)

    report = bring(house, tmp_path, stream.getvalue())

    assert [entry[0] for entry in entries(house)] == ["J000001"]
    assert report.rejections[0].zh == "没有登记民警"


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "空"), (b"a,b\n", "必需的列"), (b"%PDF-1.7", "可识别"), (zipped(bytes(80 << 20)), "压缩炸弹"), (bytes(1 << 20) + b"x", "上限")],
    ids=["empty", "no header", "pdf", "bomb", "large"],
)
def test_what_is_no_register_is_refused_in_words(house: Bureau, tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        bring(house, tmp_path, content)
