"""How one bureau's file is read: which column is what, and what its codes mean. Frozen; `mapping_yaml` reads it from text."""

import unicodedata
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field

from survey.eligibility import Exclusion

REQUIRED = ("number", "occurred_at", "call_type", "unit")
OPTIONAL = ("arrived_at", "closed_at", "disposition", "source", "unit_name", "phone", "reporter", "officer", "place", "age")
FIELDS = REQUIRED + OPTIONAL
FIELD_WORDS = {
    "number": "警情编号", "occurred_at": "报警时间", "call_type": "警情类别", "unit": "处警单位", "arrived_at": "到场时间",
    "closed_at": "结案时间", "disposition": "处理结果", "source": "报警方式", "unit_name": "单位名称", "phone": "报警电话",
    "reporter": "报警人", "officer": "处警民警", "place": "地点", "age": "年龄",
}  # fmt: skip
NUMBER_RANGES = ("nanp", "cn")
OFFICER_LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Meaning:
    """What a call-type code stands for: a category, and the reason why such calls are not called back, if any."""

    category: str
    exclusion: Exclusion | None = None


@dataclass(frozen=True)
class Mapping:
    """The reading of one kind of file.

    `columns` gives each field the headers it may have; `call_types`, `dispositions` and `sources` are tables by exact
    code; `unlisted` is what an unknown call type means (None: its row is refused); `closed_after_minutes` stands in
    for a closing time that the file does not tell.
    """

    name: str
    zh: str
    en: str
    zone: str
    columns: ReadOnly[str, tuple[str, ...]]
    date_formats: tuple[str, ...]
    call_types: ReadOnly[str, Meaning]
    unlisted: Meaning | None
    dispositions: ReadOnly[str, Exclusion | None] = field(default_factory=dict)
    sources: ReadOnly[str, Exclusion | None] = field(default_factory=dict)
    no_unit: frozenset[str] = frozenset()
    unit_name: str = "{code}"
    no_phone: frozenset[str] = frozenset()
    closed_after_minutes: int | None = None
    code_page: str = ""
    delimiter: str = ""
    sheet: str = ""
    made_up_numbers: str = ""
    made_up_officers: str = ""

    @property
    def asks_for_fiction(self) -> bool:
        """Whether importing by this mapping invents numbers or officers: for demonstration and test only."""
        return bool(self.made_up_numbers or self.made_up_officers)


@dataclass(frozen=True)
class Layout:
    """Where the fields stand in one file: field -> column index, and the headers as written."""

    places: ReadOnly[str, int]
    headers: tuple[str, ...]


def lay_out(mapping: Mapping, headers: tuple[str, ...]) -> tuple[Layout, tuple[str, ...]]:
    """Match headers to fields by the mapping's synonyms; returns the layout and the required fields that were not found."""
    by_name: dict[str, int] = {}
    for index, header in enumerate(headers):
        by_name.setdefault(plain_header(header), index)
    places = {}
    for name, synonyms in mapping.columns.items():
        found = [by_name[plain_header(synonym)] for synonym in synonyms if plain_header(synonym) in by_name]
        if found:
            places[name] = found[0]
    return Layout(places, headers), tuple(name for name in REQUIRED if name not in places)


def plain_header(header: str) -> str:
    """A header as compared: width, case, spaces and a closing colon make no difference."""
    narrow = unicodedata.normalize("NFKC", header).casefold()
    return "".join(narrow.split()).strip("*:\ufeff")
