"""The page on the format names everything that the format has."""

import re
from pathlib import Path

import pytest

from survey import prompts, script_shape
from tests.survey.test_lint import BROKEN

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "callscript.md").read_text("utf-8")
DEFS = script_shape.SCHEMA["$defs"]
OBJECTS = [
    script_shape.SCHEMA,
    *(DEFS[name] for name in ("say", "confirm", "rate", "choose", "record", "hangup", "choice", "scale_choice")),
]


@pytest.mark.parametrize("field", sorted({name for schema in OBJECTS for name in schema["properties"]}))
def test_every_field_is_explained(field: str) -> None:
    assert f"`{field}`" in PAGE


@pytest.mark.parametrize("group", ["limits", "keys", "notices", "hours", "understanding"])
def test_every_entry_of_a_group_is_explained(group: str) -> None:
    assert [name for name in script_shape.SCHEMA["properties"][group]["properties"] if f"`{name}`" not in PAGE] == []


def test_every_variable_is_named() -> None:
    assert {name for name in prompts.VARIABLES if f"{{{{ {name} }}}}" not in PAGE} == set()


def test_the_rules_of_the_page_are_those_that_are_checked() -> None:
    assert set(re.findall(r"^\| (CS\d\d) \|", PAGE, re.MULTILINE)) == {entry[0] for entry in BROKEN}
