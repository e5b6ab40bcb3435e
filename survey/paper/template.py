"""A bureau's own template: which fields it may use, and what is wrong with it, said before an order is to be printed (O34)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docxtpl.template import DocxTemplate
from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml.etree import LxmlError

from survey.errors import BadInput
from survey.paper.sample import SAMPLES

MEBIBYTE = 1 << 20
LARGEST, LARGEST_UNPACKED, MOST_PARTS = 8 * MEBIBYTE, 64 * MEBIBYTE, 2000
LONGEST_PLACE = 60
MACROS = ("vbaProject.bin", "vbaData.xml")
_Document: Any = DocxTemplate  # the library has no types
FAILURES = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What the words of a template may raise when they are carried out."""

FIELDS: dict[str, tuple[str, str]] = {
    "bureau": ("本单位名称", "name of the bureau"),
    "number": ("编号，如 2026-0001", "number, like 2026-0001"),
    "year": ("编号的年份", "year of the number"),
    "serial": ("编号的序号，不补零", "serial of the number, without zeros before it"),
    "state": ("当前状态", "present state"),
    "unit": ("责任单位", "responsible unit"),
    "incident_number": ("警情编号", "number of the incident"),
    "category": ("警情类别", "category of the incident"),
    "occurred_at": ("报警时间", "when it was reported"),
    "officer": ("处警民警", "officer who handled it"),
    "called_at": ("回访时间", "when the person was called"),
    "call_mode": ("作答方式：按键、语音、人工", "how the person answered: keys, speech, by a person"),
    "script": ("话术及版本", "script and version"),
    "ratings": ("五项评价的列表，每项有 item、answer、bad（★）", "list of the five ratings, each with item, answer, bad (★)"),
    "items": ("不满意的事项", "items rated 4 or 5"),
    "reasons": ("交办原因", "reasons of the order"),
    "own_words": ("当事人陈述原文，及值班员通话后的记录", "the person's own words, and what the operator noted of the talk"),
    "own_words_note": ("机器转写时注明及置信度", "says that a machine wrote them down, with its confidence"),
    "consent": ("是否同意联系", "whether the person agreed to be contacted"),
    "person_name": ("当事人姓名；不同意联系则不予提供", "name of the person; withheld without consent"),
    "person_number": ("当事人号码；不同意联系则不予提供", "number of the person; withheld without consent"),
    "issued_at": ("签发时间", "when it was issued"),
    "issued_on": ("签发日期", "day of issue"),
    "issued_by": ("签发人", "who issued it"),
    "due_on": ("办理期限，当日 24 时止", "deadline: the end of this day"),
    "signed_at": ("签收时间", "when it was signed for"),
    "signed_by": ("签收人", "who signed for it"),
    "replies": (
        "各次回复的列表，每次有 round、visited_on、people、place、finding、cause、measure、explanation、improvement、by、at",
        "list of the replies, each with round, visited_on, people, place, finding, cause, measure, explanation, improvement, by, at",
    ),
    "latest": (
        "现责任单位的最近一次回复，栏目同上；未回复时各栏为空",
        "the last reply of the unit that has the order, with the same parts; all empty before there is one",
    ),
    "returns": ("退回次数", "times that it was returned"),
    "supervised": ("督办标记", "mark of supervision"),
    "extension": ("延期情况", "extension"),
    "appeal": ("申诉情况", "appeal"),
    "accountability": ("责任追究", "accountability"),
    "attachments": ("附件名称", "names of the attachments"),
    "recall": ("再次回访结果", "result of the second call"),
    "closed_at": ("办结时间", "when it was closed"),
    "outcome": ("办结结果", "outcome"),
    "archive_number": ("归档号", "archive number"),
    "steps": ("办理经过的列表，每步有 at、by、what、reason", "list of all steps, each with at, by, what, reason"),
    "printed_at": ("制作时间", "when this copy was made"),
    "printed_by": ("制作人", "who made this copy"),
}
"""Field → what it holds, in Chinese and English."""

PARTS = {
    "body": ("正文", "text"), "header": ("页眉", "header"), "footer": ("页脚", "footer"), "footnotes": ("脚注", "footnotes"),
    "properties": ("文档属性", "document properties"),
}  # fmt: skip
PROPERTIES = ("author", "comments", "identifier", "language", "subject", "title")
FOOTNOTES = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_PARAGRAPH = re.compile(r"<w:p([ >])")
_MARKUP = re.compile(r"<[^>]+>")


class TemplateFaulty(BadInput):
    """The template of the order cannot be used."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"交办单模板有误：{faults[0].zh} / the template of the order is faulty: {faults[0].en}", "template")
        self.faults = faults


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands (empty: the whole file), near which words, and what it is."""

    part: str
    near: str
    problem_zh: str
    problem_en: str

    @property
    def zh(self) -> str:
        """The fault as a Chinese sentence."""
        where = PARTS[self.part][0] if self.part else ""
        return f"{where}“{self.near}”处：{self.problem_zh}" if self.near else f"{where}{'：' if where else ''}{self.problem_zh}"

    @property
    def en(self) -> str:
        """The fault as an English sentence."""
        where = PARTS[self.part][1] if self.part else ""
        return f"{where}, at “{self.near}”: {self.problem_en}" if self.near else f"{where}{': ' if where else ''}{self.problem_en}"

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"


def environment() -> ImmutableSandboxedEnvironment:
    """What a template may do: nothing but show fields. A field that it misspells is an error, never an empty place."""
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)


def read(path: Path) -> bytes:
    """The bytes of a template file. Raises TemplateFaulty."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise TemplateFaulty((_too_large(),))
        return path.read_bytes()
    except OSError as error:
        raise TemplateFaulty((Fault("", "", f"打不开 {path}（{error.strerror}）", f"cannot open {path} ({error.strerror})"),)) from error


def opened(template: bytes) -> Any:
    """The template as docxtpl's document. Raises TemplateFaulty for what is no DOCX, holds macros, or unpacks to an abnormal size."""
    _refuse_unfit(template)
    try:
        document = _Document(io.BytesIO(template))
        document.init_docx()
    except (ValueError, KeyError, zipfile.BadZipFile, LxmlError, OSError, AttributeError, NotImplementedError):
        raise TemplateFaulty((_no_docx(),)) from None
    return document


def _refuse_unfit(template: bytes) -> None:
    if len(template) > LARGEST:
        raise TemplateFaulty((_too_large(),))
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise TemplateFaulty((_no_docx(),)) from None
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
        raise TemplateFaulty((_too_large(),))
    if any(part.filename.endswith(MACROS) for part in parts):
        raise TemplateFaulty((Fault("", "", "含有宏，请另存为不含宏的 DOCX", "holds macros: save it as a DOCX without them"),))


def _too_large() -> Fault:
    return Fault("", "", "文件或解压后过大（疑似压缩炸弹）", "the file, or what it unpacks to, is too large (like a zip bomb)")


def _no_docx() -> Fault:
    return Fault("", "", "不是可读的 DOCX（WPS 请另存为 .docx）", "not a readable DOCX (in WPS: save as .docx)")


def check(template: bytes) -> tuple[Fault, ...]:
    """Everything that is wrong with a template, unknown fields first; empty when orders can be printed from it."""
    try:
        sources = list(_sources(opened(template)))
    except TemplateFaulty as faulty:
        return faulty.faults
    faults: list[Fault] = []
    for part, source in sources:
        faults += _check_part(part, source)
    return tuple(dict.fromkeys(faults))


def _sources(document: Any) -> Iterator[tuple[str, str]]:
    """Each part of the template as Jinja reads it, a line for each paragraph."""
    yield "body", _lined(document.patch_xml(document.get_xml()))
    for name, uri in (("header", document.HEADER_URI), ("footer", document.FOOTER_URI)):
        for _key, part in document.get_headers_footers(uri):
            yield name, _lined(document.patch_xml(document.get_part_xml(part)))
    for part in document.docx.part.package.parts:
        if part.content_type == FOOTNOTES:
            yield "footnotes", _lined(document.patch_xml(part.blob.decode("utf-8")))
    for name in PROPERTIES:
        yield "properties", getattr(document.docx.core_properties, name) or ""


def _lined(xml: str) -> str:
    return _PARAGRAPH.sub(r"\n<w:p\1", xml)


def _check_part(part: str, source: str) -> list[Fault]:
    env = environment()
    try:
        tree = env.parse(source)
        env.compile(source)  # only here it is seen that a filter or a test is none
    except TemplateSyntaxError as error:
        return [Fault(part, _near(source, error.lineno), f"语法错误（{error.message}）", f"syntax error ({error.message})")]
    unknown = _unknown_fields(part, source, tree)
    return unknown or _try(part, source, env)


def _unknown_fields(part: str, source: str, tree: nodes.Template) -> list[Fault]:
    """Names that are neither a field nor set by the template itself, each once with its first place."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")} | {"loop", "range", "dict", "namespace"}
    asked: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in own and name.name not in FIELDS:
            asked.setdefault(name.name, name.lineno)
    return [Fault(part, _near(source, line), f"没有“{name}”这个字段", f"there is no field “{name}”") for name, line in asked.items()]


def _try(part: str, source: str, env: ImmutableSandboxedEnvironment) -> list[Fault]:
    """Fill the part with each sample: what fails here would fail at printing."""
    for sample in SAMPLES:
        try:
            env.from_string(source).render(sample.by_name())
        except FAILURES as error:
            told = str(error) or type(error).__name__
            zh = f"没有这个字段（{told}）" if isinstance(error, UndefinedError) else f"无法执行（{told}）"
            en = f"there is no such field ({told})" if isinstance(error, UndefinedError) else f"cannot be carried out ({told})"
            return [Fault(part, _near(source, _line_of(error)), zh, en)]
    return []


def _line_of(error: BaseException) -> int | None:
    """The template's line at which it failed: Jinja puts it into the traceback."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _near(source: str, line: int | None) -> str:
    """The words of the paragraph at a line, or of the nearest one before it that has any."""
    lines = source.splitlines()
    for text in reversed(lines[: line or 0]):
        words = " ".join(_MARKUP.sub("", text).split())
        if words:
            return words[:LONGEST_PLACE]
    return ""
