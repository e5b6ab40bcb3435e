"""Mapping files (YAML 1.2) -> Mapping. Every scalar is taken as the text that stands there, so that the code 0911
stays 0911; every fault is named with line, column and path, all of them at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from survey.eligibility import STANDING, Exclusion, by_category
from survey.errors import BadInput
from survey.incidents.mapping import FIELDS, NUMBER_RANGES, OFFICER_LANGUAGES, REQUIRED, Mapping, Meaning

VERSION = "1"
_TOP = {
    "mapping", "name", "title", "file", "zone", "date_formats", "closed_after_minutes", "columns", "unit", "phone",
    "call_types", "dispositions", "sources", "fictitious",
}  # fmt: skip
_ENCODINGS = {"auto": "", "utf-8": "utf-8-sig", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "utf-16": "utf-16"}


@dataclass(frozen=True)
class Issue:
    """One fault of a mapping file; `line` and `column` count from 1."""

    line: int
    column: int
    path: str
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.path}: {self.zh} / {self.en}"


class MappingFaulty(BadInput):
    """A mapping file cannot be used; `issues` holds every fault."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("\n".join(str(issue) for issue in issues))
        self.issues = issues


def parse(text: str) -> Mapping:
    """The mapping written in `text`. Raises MappingFaulty with all faults."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise MappingFaulty((Issue(line, column, "", "YAML 格式错误", f"not YAML: {error.problem}"),)) from None
    except YAMLError:
        raise MappingFaulty((Issue(1, 1, "", "含有 YAML 不允许的字符", "holds characters that YAML does not allow"),)) from None
    if root is None:
        raise MappingFaulty((Issue(1, 1, "", "文件是空的", "the file is empty"),))
    walk = _Walk()
    mapping = _mapping(walk, root)
    if walk.issues or mapping is None:
        raise MappingFaulty(tuple(sorted(walk.issues, key=lambda issue: (issue.line, issue.column))))
    return mapping


@dataclass
class _Walk:
    """Reads nodes into plain values and collects what is wrong with them."""

    issues: list[Issue] = field(default_factory=list)

    def fault(self, node: Node, path: str, zh: str, en: str) -> None:
        self.issues.append(Issue(node.start_mark.line + 1, node.start_mark.column + 1, path, zh, en))

    def entries(self, node: Node | None, path: str, known: set[str] | None = None) -> dict[str, Node]:
        if node is None:
            return {}
        if not isinstance(node, MappingNode):
            self.fault(node, path, "此处应为“键: 值”", "must be keys with values")
            return {}
        entries: dict[str, Node] = {}
        for key, value in node.value:
            name = self.text(key, path)
            if name in entries:
                self.fault(key, f"{path}.{name}", "键重复", "this key stands twice")
            elif known is not None and name not in known:
                self.fault(
                    key, f"{path}.{name}", f"未知的键；可用：{'、'.join(sorted(known))}", f"unknown key; known: {', '.join(sorted(known))}"
                )
            entries[name] = value
        return entries

    def text(self, node: Node | None, path: str, default: str = "") -> str:
        if node is None:
            return default
        if not isinstance(node, ScalarNode):
            self.fault(node, path, "此处应为一个值", "must be one value")
            return default
        return str(node.value).strip()

    def texts(self, node: Node | None, path: str) -> tuple[str, ...]:
        if node is None:
            return ()
        if isinstance(node, ScalarNode):
            return (self.text(node, path),)
        return tuple(self.text(item, path) for item in self.items(node, path))

    def items(self, node: Node | None, path: str) -> list[Node]:
        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            self.fault(node, path, "此处应为列表", "must be a list")
            return []
        return list(node.value)

    def one_of(self, node: Node | None, path: str, choices: tuple[str, ...]) -> str:
        value = self.text(node, path)
        if node is not None and value not in choices:
            self.fault(node, path, f"只能是：{'、'.join(choices)}", f"must be one of: {', '.join(choices)}")
        return value


def _mapping(walk: _Walk, root: Node) -> Mapping | None:
    top = walk.entries(root, "", _TOP)
    for key in ("mapping", "name", "zone", "date_formats", "columns", "call_types"):
        if key not in top:
            walk.fault(root, key, "缺少此键", "this key is missing")
    if walk.issues:
        return None
    walk.one_of(top["mapping"], "mapping", (VERSION,))
    title = walk.entries(top.get("title"), "title", {"zh", "en"})
    file = walk.entries(top.get("file"), "file", {"code_page", "delimiter", "sheet"})
    unit = walk.entries(top.get("unit"), "unit", {"none", "name"})
    phone = walk.entries(top.get("phone"), "phone", {"none"})
    fictitious = walk.entries(top.get("fictitious"), "fictitious", {"numbers", "officers"})
    call_types, unlisted = _call_types(walk, top["call_types"])
    name = walk.text(top["name"], "name")
    return Mapping(
        name=name,
        zh=walk.text(title.get("zh"), "title.zh", name),
        en=walk.text(title.get("en"), "title.en", name),
        zone=_zone(walk, top["zone"]),
        columns=_columns(walk, top["columns"]),
        date_formats=_date_formats(walk, top["date_formats"]),
        call_types=call_types,
        unlisted=unlisted,
        dispositions=_exclusions(walk, top.get("dispositions"), "dispositions"),
        sources=_exclusions(walk, top.get("sources"), "sources"),
        no_unit=frozenset(walk.texts(unit.get("none"), "unit.none")),
        unit_name=_unit_name(walk, unit.get("name")),
        no_phone=frozenset(walk.texts(phone.get("none"), "phone.none")),
        closed_after_minutes=_minutes(walk, top.get("closed_after_minutes")),
        code_page=_code_page(walk, file.get("code_page")),
        delimiter=_delimiter(walk, file.get("delimiter")),
        sheet=walk.text(file.get("sheet"), "file.sheet"),
        made_up_numbers=walk.one_of(fictitious.get("numbers"), "fictitious.numbers", NUMBER_RANGES),
        made_up_officers=walk.one_of(fictitious.get("officers"), "fictitious.officers", OFFICER_LANGUAGES),
    )


def _zone(walk: _Walk, node: Node) -> str:
    name = walk.text(node, "zone")
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        walk.fault(node, "zone", "没有这个时区，应形如 Asia/Shanghai", "no such time zone; write it like Asia/Shanghai")
    return name


def _columns(walk: _Walk, node: Node) -> dict[str, tuple[str, ...]]:
    entries = walk.entries(node, "columns", set(FIELDS))
    for name in REQUIRED:
        if name not in entries:
            walk.fault(node, f"columns.{name}", "缺少此列", "this column is missing")
    return {name: walk.texts(value, f"columns.{name}") for name, value in entries.items()}


def _date_formats(walk: _Walk, node: Node) -> tuple[str, ...]:
    formats = walk.texts(node, "date_formats")
    for each in formats:
        if each not in ("iso", "excel") and not ("%Y" in each or "%y" in each):
            walk.fault(
                node,
                "date_formats",
                f"“{each}”没有年份；可写 iso、excel 或 strptime 格式",
                f"“{each}” has no year; write iso, excel or a strptime format",
            )
    return formats


def _minutes(walk: _Walk, node: Node | None) -> int | None:
    text = walk.text(node, "closed_after_minutes")
    if node is None:
        return None
    if not text.isdecimal():
        walk.fault(node, "closed_after_minutes", "应为分钟数", "must be a number of minutes")
        return None
    return int(text)


def _code_page(walk: _Walk, node: Node | None) -> str:
    return _ENCODINGS.get(walk.one_of(node, "file.code_page", tuple(_ENCODINGS)), "")


def _delimiter(walk: _Walk, node: Node | None) -> str:
    if node is None:
        return ""
    value = {"auto": "", "tab": "\t"}.get(str(node.value), str(node.value))
    if len(value) > 1:
        walk.fault(node, "file.delimiter", "应为 auto、tab 或一个字符", "must be auto, tab or one character")
    return value


def _unit_name(walk: _Walk, node: Node | None) -> str:
    text = walk.text(node, "unit.name", "{code}")
    if node is not None and text.replace("{code}", "").strip("{}") != text.replace("{code}", ""):
        walk.fault(node, "unit.name", "只能使用 {code}", "only {code} can be used")
    return text


def _call_types(walk: _Walk, node: Node) -> tuple[dict[str, Meaning], Meaning | None]:
    entries = walk.entries(node, "call_types", {"unlisted", "groups"})
    unlisted = entries.get("unlisted")
    refuse = isinstance(unlisted, ScalarNode) and unlisted.value == "refuse"
    table: dict[str, Meaning] = {}

    def learn(code: str, group: dict[str, Node], path: str) -> None:
        table[code] = _meaning(walk, group, path)

    _groups(walk, entries.get("groups"), "call_types.groups", {"category", "eligible", "exclude", "note", "codes"}, learn)
    if unlisted is None or refuse:
        return table, None
    return table, _meaning(walk, walk.entries(unlisted, "call_types.unlisted", {"category", "exclude"}), "call_types.unlisted")


def _meaning(walk: _Walk, group: dict[str, Node], path: str) -> Meaning:
    category = walk.text(group.get("category"), f"{path}.category", "other")
    if "exclude" in group:
        return Meaning(category, _exclusion(walk, group["exclude"], f"{path}.exclude"))
    wanted = walk.one_of(group.get("eligible"), f"{path}.eligible", ("true", "false")) == "true"
    return Meaning(category, None if wanted else by_category(category))


def _exclusions(walk: _Walk, node: Node | None, path: str) -> dict[str, Exclusion | None]:
    table: dict[str, Exclusion | None] = {}

    def learn(code: str, group: dict[str, Node], group_path: str) -> None:
        table[code] = _exclusion(walk, group["exclude"], f"{group_path}.exclude") if "exclude" in group else None

    _groups(walk, node, path, {"exclude", "note", "codes"}, learn)
    return table


def _groups(walk: _Walk, node: Node | None, path: str, known: set[str], learn: Callable[[str, dict[str, Node], str], None]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(walk.items(node, path)):
        group_path = f"{path}[{index}]"
        group = walk.entries(item, group_path, known)
        codes = walk.texts(group.get("codes"), f"{group_path}.codes")
        for code in codes:
            if code in seen:
                walk.fault(item, f"{group_path}.codes", f"代码“{code}”重复", f"the code “{code}” stands twice")
            else:
                seen.add(code)
                learn(code, group, group_path)


def _exclusion(walk: _Walk, node: Node, path: str) -> Exclusion | None:
    word = walk.one_of(node, path, tuple(exclusion.word for exclusion in Exclusion if exclusion in STANDING))
    return next((exclusion for exclusion in STANDING if exclusion.word == word), None)
