"""The program's own modules, read as syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("survey", "speech", "ivr", "worker", "config")


@dataclass(frozen=True)
class Source:
    """One module: its path below the root, and its tree."""

    path: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.split("/")[0]

    def imports(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Every import anywhere in the module: (module, names taken from it)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, frozenset()) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module, frozenset(alias.name for alias in node.names)

    def calls(self) -> Iterator[str]:
        """The dotted name of everything that is called or read as an attribute."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield ast.unparse(node)


def read(path: Path, root: Path = ROOT) -> Source:
    """One module."""
    return Source(str(path.relative_to(root)), ast.parse(path.read_text("utf-8")))


@cache
def sources() -> tuple[Source, ...]:
    """All modules of the five packages."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(read(path) for path in paths)
