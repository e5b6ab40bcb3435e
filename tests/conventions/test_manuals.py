"""The two manuals for operators: equal in content, and complete in alarms and holds."""

import re
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ivr.console.order_words import TABS
from survey.alarms import AlarmKind
from survey.holds import HoldReason
from survey.store.queries.order_lists import Workload
from tests.conventions.sources import ROOT
from tests.conventions.test_docs import TYPED

MANUALS = {"zh": ROOT / "docs" / "运维手册.md", "en": ROOT / "docs" / "operations.md"}
GRAVITY = {"zh": {"critical": "紧急", "warning": "注意"}, "en": {"critical": "critical", "warning": "warning"}}


def rows(text: str, table: str) -> list[list[str]]:
    """The cells of the table between the marks of that name, without its head."""
    block = text.split(f"<!-- {table}:begin -->")[1].split(f"<!-- {table}:end -->")[0]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in block.strip().splitlines()[2:]]


def read(language: str) -> str:
    return MANUALS[language].read_text("utf-8")


def alarms_in(language: str) -> list[tuple[str, str]]:
    """What the first two columns of the table of alarms must say."""
    return [(f"`{kind.word}` {kind.zh if language == 'zh' else kind.en}", GRAVITY[language][kind.gravity]) for kind in AlarmKind]


def faults(language: str, text: str) -> list[str]:
    """What the tables of a manual lack, or tell otherwise than the program does."""
    alarms, holds = rows(text, "alarms"), rows(text, "holds")
    found = [f"alarm {row[0]}: {row[1]}" for row in alarms if (row[0], row[1]) not in alarms_in(language)]
    found += [f"no alarm {name}" for name, _ in alarms_in(language) if name not in {row[0] for row in alarms}]
    names = [f"`{reason.word}` {reason.zh if language == 'zh' else reason.en}" for reason in HoldReason]
    found += [f"hold {row[0]}" for row in holds if row[0] not in names]
    found += [f"no hold {name}" for name in names if name not in {row[0] for row in holds}]
    return found + [f"{row[0]}: {len(row)} cells" for row in alarms + holds if len(row) != 4 or not all(row)]


@pytest.mark.parametrize("language", MANUALS)
def test_the_manual_explains_every_alarm_and_every_hold(language: str) -> None:
    assert faults(language, read(language)) == []


DAMAGES = (
    ("`disk_full`", "`disk_empty`", "no alarm `disk_full` The disk is nearly full"),
    ("review | warning", "review | critical", "alarm `needs_review` Respondents need a person's review: critical"),
    ("The daily cap of", "A daily cap of", "no hold `daily_cap` The daily cap of calls is reached"),
    (" | Estimated bill ≥ limit. | ", " | ", "`spend_limit` The estimated bill has reached its limit: 3 cells"),
)


@pytest.mark.parametrize(("right", "wrong", "fault"), DAMAGES)
def test_the_check_finds_what_is_missing_or_wrong(right: str, wrong: str, fault: str) -> None:
    assert fault in faults("en", read("en").replace(right, wrong))


GUIDES = {"zh": ("运维手册", "值班员手册", "责任单位手册"), "en": ("operations", "operators", "units")}
CATALOG = ROOT / "ivr/console/translations/en/LC_MESSAGES/messages.po"
PLACES = {
    "zh": (r"(?:页|→|菜单|点|点击)\s*\*\*([^*]+)\*\*", r"\*\*([^*]+)\*\*\s*(?:页|→)"),
    "en": (r"(?:pages?|menu|→|[Cc]lick|[Cc]hoose)\s+\*{1,2}([^*\s][^*]*)\*", r"\*([^*\s][^*]*)\*{1,2}\s+→"),
}
"""How the manuals lead to a page, a tab or a button: its name in bold or in italics, beside a word for it or an arrow."""


def shown(language: str) -> set[str]:
    """Every word that the console's pages show in the language."""
    messages = [message for message in read_po(BytesIO(CATALOG.read_bytes()), locale="en") if message.id]
    said = [message.id if language == "zh" else message.string for message in messages]
    return {word for words in said for word in ([words] if isinstance(words, str) else words)}


def strange(language: str, text: str) -> set[str]:
    """The names of places that no page shows."""
    return {" ".join(match[1].split()) for place in PLACES[language] for match in re.finditer(place, text)} - shown(language)


@pytest.mark.parametrize(("language", "guide"), [(language, guide) for language, guides in GUIDES.items() for guide in guides])
def test_places_are_called_as_the_pages_call_them(language: str, guide: str) -> None:
    assert strange(language, (ROOT / "docs" / f"{guide}.md").read_text("utf-8")) == set()


def test_the_check_finds_a_place_that_is_not_there() -> None:
    assert strange("zh", "**通知**→**发送记录**逐条显示") == {"发送记录"}
    assert strange("en", "The page *Sent notices* and *Notices* → *Deliveries*") == {"Sent notices"}


def shape(path: Path) -> list[str]:
    """Headings by rank and number, sizes of tables and of blocks of commands, in order: what both languages share."""
    text = re.sub(
        r"(?m)^( *)```\n(.*?)^ *```", lambda block: f"block of {block[2].count(chr(10))}", path.read_text("utf-8"), flags=re.DOTALL
    )
    kept = []
    for line in text.splitlines():
        if heading := re.match(r"(#+) (\d+\.)?", line):
            kept.append(heading[0].strip())
        elif line.startswith("| "):
            kept.append(f"row of {line.count(' | ') + 1}")
        elif line.startswith("block of "):
            kept.append(line.split("\n")[0])
    return kept


def test_both_manuals_have_the_same_chapters_tables_and_commands() -> None:
    assert shape(MANUALS["zh"]) == shape(MANUALS["en"])
    typed = {language: [(match[1], match[2]) for match in TYPED.finditer(read(language))] for language in MANUALS}
    assert typed["zh"] == typed["en"]


def test_both_manuals_name_the_same_settings_metrics_and_files() -> None:
    names = re.compile(r"HUIFANG_[A-Z_]+|huifang_[a-z_]+|deploy/[\w.-]+|`[a-z_]+`")
    assert set(names.findall(read("zh"))) == set(names.findall(read("en")))


@pytest.mark.parametrize(("manual", "between"), [("责任单位手册.md", "、"), ("units.md", ", ")])
def test_the_units_manual_names_the_figures_of_their_home_page_as_the_page_does(manual: str, between: str) -> None:
    english = {message.id: message.string for message in read_po(BytesIO(CATALOG.read_bytes()), locale="en")}
    figures = [str(TABS[figure.name]) for figure in fields(Workload)]

    told = between.join(english[each] for each in figures) if manual == "units.md" else between.join(figures)
    assert f"**{told}**" in (ROOT / "docs" / manual).read_text("utf-8")
