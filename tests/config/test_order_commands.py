"""`order template` as a person types it, and what `doctor` says about the template in force (O34)."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from docx import Document

from config.cli import main
from config.doctor import examine
from config.findings import GOOD, WRONG, Finding
from config.settings import Settings
from config.wiring import House
from survey.paper import letterhead
from survey.paper.template import FIELDS


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["order", "template", *words], obj=object())


def written(path: Path, *paragraphs: str) -> Path:
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(path))
    return path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_bureau_begins_from_the_shipped_template_which_has_no_fault(tmp_path: Path, language: str) -> None:
    path = tmp_path / "own.docx"

    made, checked = run("new", str(path), "--language", language), run("check", str(path))

    assert (made.exit_code, checked.exit_code) == (0, 0)
    assert path.read_bytes() == letterhead.shipped(language)
    assert "HUIFANG_ORDER_TEMPLATE" in checked.output


def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.docx"
    path.write_text("mine")

    result = run("new", str(path))

    assert result.exit_code == 1
    assert path.read_text() == "mine"


def test_check_names_every_fault_with_its_place(tmp_path: Path) -> None:
    result = run("check", str(written(tmp_path / "own.docx", "编号 {{ nummer }}", "单位 {{ unitt }}")))

    assert result.exit_code == 1
    assert "own.docx: 正文“编号 {{ nummer }}”处：没有“nummer”这个字段 / text, at “编号 {{ nummer }}”" in result.output
    assert "unitt" in result.output


def test_what_is_no_docx_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.docx"
    path.write_bytes(b"%PDF-1.7")

    result = run("check", str(path))

    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)


def test_fields_lists_every_field_with_its_meaning() -> None:
    result = run("fields")

    assert [line.split("\t")[0] for line in result.output.splitlines()] == [f"{{{{ {name} }}}}" for name in FIELDS]


def found(data: Path, template: Path | None) -> list[Finding]:
    given = {"HUIFANG_DATA": str(data)} | ({"HUIFANG_ORDER_TEMPLATE": str(template)} if template else {})
    return [finding for finding in examine(House(Settings.from_env(given, None))) if finding.subject == "order template"]


def test_doctor_tries_the_template_before_the_first_order_is_printed(tmp_path: Path) -> None:
    good, bad = written(tmp_path / "good.docx", "{{ number }}"), written(tmp_path / "bad.docx", "{{ nummer }}", "{{ unit")

    assert [finding.mark for finding in found(tmp_path / "data", None)] == [GOOD]
    assert [finding.mark for finding in found(tmp_path / "data", good)] == [GOOD]
    [fault] = found(tmp_path / "data", bad)
    assert (fault.mark, "order template check" in fault.remedy) == (WRONG, True)
    [missing] = found(tmp_path / "data", tmp_path / "none.docx")
    assert (missing.mark, "none.docx" in missing.text) == (WRONG, True)
