"""The one table of settings, and the texts made from it."""

from dataclasses import fields

import pytest

from config.setting_rows import row_of, variable
from config.settings import Settings, env_example, markdown_table
from tests.conventions.sources import ROOT, sources

READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"


def test_the_example_file_is_the_one_made_from_the_table() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()


@pytest.mark.parametrize("name", READMES)
def test_the_readme_shows_the_table(name: str) -> None:
    path = ROOT / name
    if not path.exists() or BEGIN not in path.read_text("utf-8"):
        pytest.skip(f"{name} holds no settings table")
    block = path.read_text("utf-8").split(BEGIN)[1].split(END)[0]

    assert block.strip() == markdown_table(READMES[name]).strip()


def test_every_setting_is_explained_in_both_languages() -> None:
    assert [item.name for item in fields(Settings) if not (row_of(item).zh and row_of(item).en)] == []


def test_every_setting_is_used_somewhere() -> None:
    tables = ("config/settings.py", "config/casework_settings.py")
    used = {name.split(".")[-1] for source in sources() if source.path not in tables for name in source.calls()}

    assert [variable(item) for item in fields(Settings) if item.name not in used] == []


def test_every_secret_is_marked() -> None:
    words = ("key", "token", "secret", "password")
    assert [item.name for item in fields(Settings) if any(word in item.name for word in words) and not row_of(item).secret] == []
