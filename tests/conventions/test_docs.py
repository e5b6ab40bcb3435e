"""What the documents tell people to type exists."""

import re
from pathlib import Path

import click
import pytest

from config.cli import COMMANDS, main
from ivr.carrier.simulator import callees, desk_telephones
from tests.conventions.sources import ROOT

OUTSIDE_CLICK = {"test"}
TYPED = re.compile(r"\./huifang[ \t]+([a-z][a-z-]*)(?:[ \t]+([a-z][a-z-]*))?([^\n`]*)")
READMES = ("README.md", "README.zh-CN.md")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = ("https://", "http://", "mailto:", "#")
LARGEST_PICTURE = 300_000
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


def broken_links(document: Path) -> list[str]:
    """Relative targets of links and images in a Markdown text that are not there."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in LINK.findall(text) if not target.startswith(ELSEWHERE)]
    return [target for target in targets if not (document.parent / target).exists()]


def test_every_relative_link_and_picture_exists() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    assert {ROOT / name for name in READMES} <= set(texts)
    assert [(str(text.relative_to(ROOT)), target) for text in texts for target in broken_links(text)] == []


def test_the_check_finds_links_that_lead_nowhere(tmp_path: Path) -> None:
    text = tmp_path / "a.md"
    text.write_text("[here](a.md#part) [there](b.md) ![seen](images/c.png) [far](https://example.org/d.md)\n```\n[no link](e.md)\n```\n")

    assert broken_links(text) == ["b.md", "images/c.png"]


def test_pictures_are_small() -> None:
    assert [path.name for path in (ROOT / "docs" / "images").glob("*.png") if path.stat().st_size > LARGEST_PICTURE] == []


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize(("mark", "table"), [("callees", callees.table_text()), ("desk-telephones", desk_telephones.table_text())])
def test_the_readme_shows_who_answers(name: str, mark: str, table: str) -> None:
    block = (ROOT / name).read_text("utf-8").split(f"<!-- {mark}:begin -->")[1].split(f"<!-- {mark}:end -->")[0]

    assert block.strip() == table.strip()


@pytest.mark.parametrize("name", READMES)
def test_the_readme_shows_the_table_of_settings(name: str) -> None:
    assert "<!-- settings:begin -->" in (ROOT / name).read_text("utf-8")


def test_both_readmes_show_the_same_commands() -> None:
    """The Chinese README is a full counterpart: whoever adds a command to one adds it to the other."""
    shown = [{(match[1], match[2]) for match in TYPED.finditer((ROOT / name).read_text("utf-8"))} for name in READMES]

    assert shown[0] == shown[1]
