"""What no module may be called, and what no file may hold."""

import ast
import re

from tests.conventions.sources import ROOT, sources

EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers", "service", "misc", "common"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b|raise NotImplementedError")


def test_modules_are_named_for_what_they_hold() -> None:
    assert [source.path for source in sources() if source.path.removesuffix(".py").split("/")[-1] in EMPTY_WORDS] == []


def test_nothing_is_left_unfinished() -> None:
    assert [source.path for source in sources() if UNFINISHED.search((ROOT / source.path).read_text("utf-8"))] == []


def test_every_module_says_what_it_is() -> None:
    silent = [source.path for source in sources() if source.tree.body and not ast.get_docstring(source.tree)]
    assert silent == []
