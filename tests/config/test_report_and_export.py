import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey.disposition import Disposition
from survey.store.models import AuditEntry
from tests.conftest import RING, StandingClock
from tests.survey.month import Month


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    given = {"HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_PII_KEYS": RING, "HUIFANG_DATABASE_URL": database_url}
    house = House(Settings.from_env(given, None), own_clock=StandingClock())
    assert house.data.is_dir()
    with house.sessions() as session:
        month = Month(session, house.keys, {"城关所": 30}, simulated=True)
        for _ in range(12):
            month.person("城关所", Disposition.COMPLETE, ["satisfied"] * 5)
        session.commit()
    yield house
    house.engine.dispose()


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(main, [*words], obj=house)


def test_the_sheet_is_printed_on_the_terminal(house: House) -> None:
    result = run(house, "report", "--month", "2026-02")
    assert result.exit_code == 0, result.output
    assert "《警情处置情况考核表》 2026-02" in result.output
    assert "演示/模拟" in result.output
    assert "城关所" in result.output


@pytest.mark.parametrize(("form", "start"), [("text", b"\xe2"), ("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("html", b"<!DOCTYPE html>")])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_is_written_in_every_form(house: House, tmp_path: Path, form: str, start: bytes, language: str) -> None:
    result = run(house, "report", "--month", "2026-02", "--format", form, "--language", language, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    path = Path(result.output.strip())
    assert path.parent == tmp_path / "out"
    content = path.read_bytes()
    assert content.startswith(start) or (form == "text" and len(content) > 500)


def test_one_campaign_can_be_shown_alone(house: House) -> None:
    assert "答访" in run(house, "report", "--campaign", "1").output


@pytest.mark.parametrize("words", [("--month", "2031-01"), ("--campaign", "99"), (), ("--month", "2026-02", "--campaign", "1")])
def test_what_cannot_be_shown_ends_with_an_error_in_words(house: House, words: tuple[str, ...]) -> None:
    result = run(house, "report", *words)
    assert result.exit_code != 0
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("what", "rows"), [("answers", 60), ("attempts", 12), ("cases", 0)])
def test_exports_are_whole_files_for_their_owner_alone_and_leave_a_trace(house: House, tmp_path: Path, what: str, rows: int) -> None:
    out = tmp_path / "new folder" / f"{what}.csv"
    out.parent.mkdir()
    result = run(house, "export", what, "--campaign", "1", "--out", str(out))
    assert result.exit_code == 0, result.output
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert len(list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))) == rows
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    with house.sessions() as session:
        assert session.query(AuditEntry).one().action == "export"


def test_a_folder_that_is_not_there_is_not_made_and_nothing_is_noted(house: House, tmp_path: Path) -> None:
    out = tmp_path / "mistyped" / "a.csv"
    result = run(house, "export", "answers", "--campaign", "1", "--out", str(out))

    assert result.exit_code == 1
    assert "没有文件夹" in result.output.partition(" / ")[0]
    assert not out.parent.exists()
    with house.sessions() as session:
        assert session.query(AuditEntry).all() == []


def test_a_file_that_cannot_be_written_is_told_in_one_line(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.csv.part").mkdir()
    result = run(house, "export", "answers", "--campaign", "1", "--out", str(tmp_path / "a.csv"))

    assert result.exit_code == 1
    assert "无法写入" in result.output
    assert len(result.output.splitlines()) == 1


def test_personal_data_is_refused_without_a_reason(house: House, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    result = run(house, "export", "answers", "--campaign", "1", "--out", str(out), "--personal-data")
    assert result.exit_code != 0
    assert not out.exists()
    result = run(house, "export", "answers", "--campaign", "1", "--out", str(out), "--personal-data", "--reason", "投诉核查")
    assert result.exit_code == 0, result.output
    assert "+86100" in out.read_text("utf-8-sig")


def test_an_unknown_campaign_is_named(house: House, tmp_path: Path) -> None:
    result = run(house, "export", "answers", "--campaign", "9", "--out", str(tmp_path / "x.csv"))
    assert result.exit_code != 0
    assert "9" in result.output
