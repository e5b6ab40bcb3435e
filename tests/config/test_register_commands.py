"""`register import` as a person types it (R1)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey.incidents.made_up import write_month
from survey.store.models import Incident, RegisterEntry
from tests.conftest import ON_SQLITE_ALONE, StandingClock

pytestmark = ON_SQLITE_ALONE


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    given = {"HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_ENVIRONMENT": "test", "HUIFANG_DATABASE_URL": database_url}
    house = House(Settings.from_env(given, tmp_path / ".env"), own_clock=StandingClock(datetime(2025, 4, 2, 1, tzinfo=UTC)))
    write_month(tmp_path / "march.csv", "2025-03", seed=7)
    assert run(house, "import", str(tmp_path / "march.csv"), "--mapping", "police-110-zh").exit_code == 0
    yield house
    house.engine.dispose()


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), obj=house)


def test_a_register_comes_in_with_its_counts_and_the_way_to_its_problems(house: House, tmp_path: Path) -> None:
    with house.sessions() as session:
        numbers = session.scalars(select(Incident.number).order_by(Incident.number).limit(2)).all()
    lines = [f"{number},签过了,周警官,2025-04-01 09:30" for number in numbers] + ["J0,签过了,周警官,2025-04-01 09:30"]
    file = tmp_path / "register.csv"
    file.write_text("事件号,签字情况,登记民警,登记时间\n" + "\n".join(lines), "gb18030")
    words = ("register", "import", str(file), "--column", "number=事件号", "--word", "签过了=signed")

    first, second = run(house, *words), run(house, *words)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert [int(line.split()[-1]) for line in first.output.splitlines()[:4]] == [3, 2, 0, 1]
    assert [int(line.split()[-1]) for line in second.output.splitlines()[:4]] == [3, 0, 2, 1]
    problems = Path(first.output.splitlines()[4].partition("problems: ")[2])
    assert "没有这起警情" in problems.read_text("utf-8-sig")
    with house.sessions() as session:
        assert {entry.state for entry in session.scalars(select(RegisterEntry))} == {"signed"}


def test_what_is_no_register_is_one_line_and_exit_status_1(house: House, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")

    result = run(house, "register", "import", str(tmp_path / "x.csv"))

    assert (result.exit_code, "必需的列" in result.output, len(result.output.splitlines())) == (1, True, 1)
