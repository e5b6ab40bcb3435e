"""`import` and `draw` on the command line, on a real house with its own folder."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey.incidents.made_up import write_month
from survey.store.models import Incident
from tests.conftest import StandingClock


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    given = {"HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_ENVIRONMENT": "test", "HUIFANG_DATABASE_URL": database_url}
    house = House(Settings.from_env(given, tmp_path / ".env"), own_clock=StandingClock(datetime(2025, 4, 2, 1, tzinfo=UTC)))
    yield house
    house.engine.dispose()


@pytest.fixture
def run(house):
    return lambda *words: CliRunner().invoke(main, list(words), obj=house)


@pytest.fixture
def month(tmp_path):
    path = tmp_path / "三月.csv"
    write_month(path, "2025-03", seed=7)
    return str(path)


def number(output, label):
    return int(re.search(rf"{label}\s+(\d+)", output)[1])


def test_an_import_tells_its_counts_and_where_the_problems_are(run, month):
    first, second = run("import", month, "--mapping", "police-110-zh"), run("import", month, "--mapping", "police-110-zh")

    assert first.exit_code == second.exit_code == 0
    assert number(first.output, "read") == number(first.output, "new") == 2000
    assert (number(second.output, "new"), number(second.output, "known")) == (0, 2000)
    problems = Path(re.search(r"problems: (.+)", first.output)[1])
    with problems.open(encoding="utf-8-sig") as file:
        assert next(csv.reader(file))[0] == "行号 Line"


def test_a_dry_run_stores_nothing(run, month, house):
    result = run("import", month, "--mapping", "police-110-zh", "--dry-run")

    assert result.exit_code == 0
    assert "nothing was stored" in result.output
    with house.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 0


@pytest.mark.parametrize("content", [b"", b"a,b,c\n1,2,3\n", b"PK\x03\x04broken"])
def test_a_file_that_cannot_be_read_ends_with_status_1_and_one_sentence(run, tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    result = run("import", str(path), "--mapping", "police-110-zh")

    assert result.exit_code == 1
    assert "Error" in result.output
    assert "Traceback" not in result.output


def test_a_mapping_that_is_not_there_or_faulty_ends_with_status_1(run, month, tmp_path):
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text("mapping: 1\nname: x\n")

    missing, wrong = run("import", month, "--mapping", "nowhere"), run("import", month, "--mapping", str(faulty))

    assert missing.exit_code == wrong.exit_code == 1
    assert "police-110-zh" in missing.output
    assert "columns" in wrong.output


def test_a_draw_tells_accounts_that_add_up_and_is_checked_again(run, month):
    run("import", month, "--mapping", "police-110-zh")

    drawn = run("draw", "--month", "2025-03", "--size", "200", "--seed", "7")
    checked = run("draw", "--month", "2025-03", "--check")

    assert drawn.exit_code == checked.exit_code == 0, drawn.output
    counts = [int(line.split()[0]) for line in drawn.output.splitlines() if re.match(r"\s+-?\d+  ", line)]
    incidents, *excluded, frame, sample = counts[: counts.index(200) + 1]
    assert incidents + sum(excluded) == frame
    assert sample == 200
    assert re.search(r"frame digest [0-9a-f]{64}", drawn.output)
    assert "identical" in checked.output


def test_a_sample_too_small_for_the_units_names_the_option_and_the_least_value(run, month):
    run("import", month, "--mapping", "police-110-zh")

    refused = run("draw", "--month", "2025-03", "--size", "3")
    least = re.search(r"最少须为 (\d+)", refused.output)[1]
    drawn = run("draw", "--month", "2025-03", "--size", least)

    assert refused.exit_code == 1
    assert refused.output.startswith("Error: --size：")
    assert drawn.exit_code == 0, drawn.output


def test_a_month_is_drawn_once_until_it_is_voided(run, month):
    run("import", month, "--mapping", "police-110-zh")
    run("draw", "--month", "2025-03")

    again = run("draw", "--month", "2025-03")
    voided = run("draw", "--month", "2025-03", "--void", "映射有误")
    anew = run("draw", "--month", "2025-03", "--all")

    assert again.exit_code == 1
    assert voided.exit_code == anew.exit_code == 0, anew.output


def test_a_month_without_a_draw_cannot_be_checked(run):
    assert run("draw", "--month", "2025-03", "--check").exit_code == 1
