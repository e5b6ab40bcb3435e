"""The refusal list from the shell: a number is asked for, never given on the line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config.cli import main
from config.settings import Settings
from config.wiring import House
from survey.store.models import AuditEntry, Respondent
from tests.conftest import RING, StandingClock
from tests.survey.fieldwork.conftest import CALLER_ID, Ground

NUMBER = "+86 100 0000 0000"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    given = {
        "HUIFANG_DATA": str(tmp_path / "data"), "HUIFANG_PII_KEYS": RING, "HUIFANG_DATABASE_URL": database_url,
        "HUIFANG_CALLER_ID": CALLER_ID,
    }  # fmt: skip
    house = House(Settings.from_env(given, None), own_clock=StandingClock())
    Ground(house.engine, house.office, StandingClock()).launch(2)
    yield house
    house.engine.dispose()


def run(house: House, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["refusal", *words], obj=house, input=f"{typed}\n")


def test_a_number_is_registered_found_and_lifted(house: House) -> None:
    assert "已登记" in run(house, "register", "--source", "letter", typed=NUMBER).output
    listed, found = run(house, "list").output, run(house, "find", typed=NUMBER).output
    assert "0000\t2026-03-10 02:00:00Z\t来信要求 / By letter\tcli" in listed
    assert "第 1/1 页，共 1 条 / page 1 of 1, 1 in all" in listed
    assert "By letter" in found
    assert "100000" not in listed

    assert "已解除" in run(house, "lift", "1", "--reason", "本人来函").output
    assert "共 0 条" in run(house, "list").output
    assert "本人来函" in run(house, "list", "--lifted").output
    with house.sessions() as session:
        assert [person.state for person in session.scalars(select(Respondent).order_by(Respondent.id))] == ["closed", "waiting"]
        actions = session.scalars(select(AuditEntry).where(AuditEntry.subject == "suppression:1").order_by(AuditEntry.n)).all()
        assert [entry.action for entry in actions] == ["suppression.register", "suppression.lift"]
        assert all(entry.actor.startswith("cli") for entry in actions)


def test_a_number_that_is_not_on_the_list_is_said_to_be_none(house: House) -> None:
    assert "没有此号码的登记" in run(house, "find", typed=NUMBER).output


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("register",), "110", "紧急或公务短号"),
        (("find",), "12", "号码不存在"),
        (("lift", "7", "--reason", "本人来函"), "", "没有编号为 7 的拒访登记"),
        (("lift", "0", "--reason", "本人来函"), "", "0 is not in the range"),
        (("lift", "7"), "", "--reason"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(house: House, words: tuple[str, ...], typed: str, said: str) -> None:
    result = run(house, *words, typed=typed)

    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output
