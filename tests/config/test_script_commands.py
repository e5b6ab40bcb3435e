"""`script check`, `script rehearse`, `script publish` as a person types them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey.store import audit
from survey.store.models import ScriptVersion
from tests.survey.scripts import FOLDER, FOLLOWUPS, SHIPPED, text_of

ZH = str(FOLDER / SHIPPED[0])
REHEARSALS = Path(__file__).resolve().parents[1] / "rehearsals"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = House(Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_DATABASE_URL": database_url}, None))
    yield house
    house.engine.dispose()


def run(house: House, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["script", *arguments], obj=house, input=typed)


@pytest.mark.parametrize("name", SHIPPED + FOLLOWUPS)
def test_check_passes_the_shipped_scripts(house: House, name: str) -> None:
    result = run(house, "check", str(FOLDER / name))

    assert result.exit_code == 0
    assert "0 errors, 0 warnings" in result.output


def test_check_measures_the_opening_with_the_name_of_the_bureau(house: House) -> None:
    usual = run(house, "check", ZH, "--bureau", "示范市公安局")
    longer = run(house, "check", ZH, "--bureau", "内蒙古自治区呼伦贝尔市莫力达瓦达斡尔族自治旗公安局")

    assert "0 errors, 0 warnings" in usual.output
    assert "W CS18 “opening”" in longer.output


def test_check_names_file_line_and_column_and_fails(house: House, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text_of(SHIPPED[0]).replace("after_human: end", "after_humans: end"), "utf-8")
    line = path.read_text("utf-8").split("after_humans")[0].count("\n") + 1
    result = run(house, "check", str(path))

    assert result.exit_code == 1
    assert f"{path}:{line}:1 E CS02" in result.output
    assert "是否想写“after_human”" in result.output


def test_check_survives_a_file_that_is_not_utf_8(house: House, tmp_path: Path) -> None:
    path = tmp_path / "gbk.yaml"
    path.write_bytes(text_of(SHIPPED[0]).encode("gb18030"))
    result = run(house, "check", str(path))

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_rehearse_plays_typed_keys_as_a_call(house: House) -> None:
    result = run(house, "rehearse", ZH, typed="1\n\n1\n2\n4\n3\n6\n没有人来\n1\n1\n1\n1\n")

    assert result.exit_code == 0, result.output
    for expected in ("您好，这里是示范市公安局", "没有收到有效的选择", "escalate dissatisfied", "keep reason", "1.1 完成访问"):
        assert expected in result.output


def test_rehearse_hangs_up_when_nothing_more_is_typed(house: House) -> None:
    result = run(house, "rehearse", ZH, typed="1\n2\n")

    assert "2.12 中途退出" in result.output


def test_rehearse_with_keys_saves_a_case_that_plays_the_same(house: House, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    result = run(house, "rehearse", ZH, "--keys", "1 1-1*1 4 1 s 1 1 1 1", "--save", str(path))
    before = path.read_text("utf-8")
    again = run(house, "rehearse", ZH, "--update", str(tmp_path))

    assert (result.exit_code, again.exit_code) == (0, 0), result.output
    assert 'disposition: "complete"' in before
    assert path.read_text("utf-8") == before


def test_the_stored_cases_are_what_an_update_would_write(house: House, tmp_path: Path) -> None:
    shutil.copytree(REHEARSALS, tmp_path / "cases")
    for name in SHIPPED + FOLLOWUPS:
        run(house, "rehearse", str(FOLDER / name), "--update", str(tmp_path / "cases"))

    for path in REHEARSALS.iterdir():
        assert (tmp_path / "cases" / path.name).read_text("utf-8") == path.read_text("utf-8")


def test_publish_adds_a_version_and_an_audit_entry_once(house: House) -> None:
    first = run(house, "publish", ZH, "--by", "张三", "--reason", "第一版")
    second = run(house, "publish", ZH, "--by", "李四", "--reason", "again")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "接处警电话回访 v1" in first.output
    assert "早已发布" in second.output
    with house.sessions() as session:
        assert [version.published_by for version in session.scalars(select(ScriptVersion))] == ["张三"]
        assert [entry.action for entry in session.scalars(select(audit.AuditEntry))] == ["script.publish"]


def test_publish_refuses_a_script_with_errors_and_says_where(house: House, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text_of(SHIPPED[0]).replace("，通话会录音", ""), "utf-8")
    result = run(house, "publish", str(path), "--by", "张三", "--reason", "x")

    assert result.exit_code == 1
    assert "CS14" in result.output
