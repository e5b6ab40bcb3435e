"""What the documents tell people to type exists."""

import re
from pathlib import Path

import click
import pytest

from config.cli import COMMANDS, main
from tests.conventions.sources import ROOT

OUTSIDE_CLICK = {"test"}
TYPED = re.compile(r"\./huifang[ \t]+([a-z][a-z-]*)(?:[ \t]+([a-z][a-z-]*))?([^\n`]*)")
DOCUMENTS = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/**/*.md", "deploy/**/*")


def documents() -> list[Path]:
    return [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern)) if path.is_file()]


def unknown(text: str) -> list[str]:
    """Commands and options in a text that the command line does not have."""
    context = click.Context(main)
    faults = []
    for match in TYPED.finditer(text):
        name, second, rest = match[1], match[2], match[3]
        if name in OUTSIDE_CLICK:
            continue
        command = main.get_command(context, name)
        if command is None:
            faults.append(f"./huifang {name}")
            continue
        if isinstance(command, click.Group) and second:
            command = command.get_command(context, second)
            if command is None:
                faults.append(f"./huifang {name} {second}")
                continue
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        faults += [f"./huifang {name} {option}" for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest) if option not in known]
    return faults


def test_every_documented_command_exists() -> None:
    found = documents()
    if not found:
        pytest.skip("there is no document yet")

    assert [(path.name, fault) for path in found for fault in unknown(path.read_text("utf-8"))] == []


def test_the_check_finds_what_does_not_exist() -> None:
    assert unknown("./huifang fly") == ["./huifang fly"]
    assert unknown("./huifang user fly") == ["./huifang user fly"]
    assert unknown("./huifang user add x --rule admin") == ["./huifang user --rule"]
    assert unknown("./huifang test\n./huifang user add x --role operator") == []


def test_the_table_of_commands_holds_those_of_the_design() -> None:
    assert {"demo", "serve", "import", "draw", "campaign", "report", "export", "script", "user", "doctor", "migrate"} <= COMMANDS.keys()
