"""What a table of settings consists of: rows behind the fields of a frozen dataclass, and how a value is written back."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field
from datetime import time
from typing import Any

PREFIX = "HUIFANG_"


@dataclass(frozen=True)
class Row:
    """What the table says about one setting: the default as text, the reader, the help."""

    default: str
    read: Callable[[str], Any]
    zh: str
    en: str
    secret: bool


def row(default: str, read: Callable[[str], Any], zh: str, en: str, *, secret: bool = False) -> Any:
    """A field of a table of settings: its default as text, its reader, its help in Chinese and English; a secret shows in no `repr`."""
    return field(repr=not secret, metadata={"row": Row(default, read, zh, en, secret)})


def row_of(item: Field[Any]) -> Row:
    """The table's row behind a field of `Settings`."""
    row: Row = item.metadata["row"]
    return row


def variable(item: Field[Any]) -> str:
    """The environment variable of a field of `Settings`."""
    return PREFIX + item.name.upper()


def written(value: Any) -> str:
    """A value as it would stand in the environment."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case (time() as opening, time() as closing):
            return f"{opening:%H:%M}-{closing:%H:%M}"
        case tuple():
            return ",".join(value)
        case float():
            return f"{value:g}"
    return str(value)
