"""The order as a document: what it holds, what it never holds, and what is said about a template that cannot be filled (O34, O35)."""

import io
import zipfile
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.paper import docx, letterhead, template
from survey.paper.content import Paper
from survey.paper.sample import BARE, FULL
from survey.paper.template import FIELDS, TemplateFaulty, check
from survey.struck_out import cleaner

MADE_AT = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)


def made(*paragraphs: str, header: str = "", footer: str = "") -> bytes:
    """A template with these paragraphs."""
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.sections[0].header.paragraphs[0].text = header
    document.sections[0].footer.paragraphs[0].text = footer
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def text_of(file: bytes) -> str:
    """Every text of a DOCX, whatever part it stands in."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "ignore") for name in archive.namelist() if name.endswith((".xml", ".rels")))


def cells(file: bytes) -> dict[str, str]:
    """Label and value of each place of the form."""
    found = {}
    for row in Document(io.BytesIO(file)).tables[0].rows:
        texts = list(dict.fromkeys((cell._tc, cell.text) for cell in row.cells))
        found.update(zip([text for _, text in texts[::2]], [text for _, text in texts[1::2]], strict=False))
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_shipped_template_has_no_fault(language: str) -> None:
    assert check(letterhead.shipped(language)) == ()


def test_the_form_read_back_holds_every_field_of_the_order() -> None:
    file = docx.render(letterhead.shipped("zh"), FULL, MADE_AT)

    form = cells(file)
    assert (form["警情编号"], form["处警民警"], form["不满意事项"]) == ("J20261014000001", "民警一", "出警速度、处警态度")
    assert form["当事人陈述"] == "来得太慢。\n态度不好。（机器转写，置信度 92%）"
    assert (form["当事人"], form["联系电话"]) == ("样例", "+8610000000000")
    assert "\n整改措施：批评教育\n" in form["第1次回复"]
    assert form["办结"] == "再次回访满意 2026年11月27日 10:00"
    head = ["示范市公安局", "〔2026〕1号", "接处警电话回访交办单", "城东派出所："]
    assert [one.text for one in Document(io.BytesIO(file)).paragraphs][:4] == head


def test_before_a_reply_the_form_leaves_room_to_write_one() -> None:
    form = cells(docx.render(letterhead.shipped("zh"), BARE, MADE_AT))

    assert form["核查及整改"] == ""
    assert (form["当事人"], form["联系电话"]) == ("不予提供", "不予提供")


def test_the_page_keeps_the_margins_of_the_standard_and_names_its_fonts() -> None:
    document = Document(io.BytesIO(docx.render(letterhead.shipped("zh"), FULL, MADE_AT)))

    page = document.sections[0]
    assert [round(length / Mm(1)) for length in (page.page_width, page.page_height)] == [210, 297]
    margins = (page.top_margin, page.bottom_margin, page.left_margin, page.right_margin)
    assert [round(length / Mm(1)) for length in margins] == [37, 35, 28, 26]
    title = document.paragraphs[2].runs[0]
    assert (title.font.size.pt, title._element.rPr.rFonts.get(qn("w:eastAsia"))) == (22, "方正小标宋简体")
    assert document.paragraphs[3].runs[0]._element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋_GB2312"


def test_the_properties_name_the_order_and_nobody_who_wrote_the_template() -> None:
    written = Document(io.BytesIO(letterhead.shipped("zh")))
    written.core_properties.author, written.core_properties.last_modified_by = "王某某", "王某某"
    stream = io.BytesIO()
    written.save(stream)

    file = docx.render(stream.getvalue(), FULL, MADE_AT)

    told = Document(io.BytesIO(file)).core_properties
    assert (told.title, told.author, told.last_modified_by) == ("接处警电话回访交办单 2026-0001", "示范市公安局", "")
    assert "王某某" not in text_of(file)


def test_every_field_is_explained_and_no_other() -> None:
    assert set(FIELDS) == set(FULL.by_name()) == {item.name for item in fields(Paper)} - {"is_open_to_contact"}


@pytest.mark.parametrize("where", ["body", "header", "footer"])
def test_a_field_that_there_is_not_is_named_with_its_place(where: str) -> None:
    text = "警情编号 {{ incident_nummer }} 请核对"
    file = made("编号 {{ number }}", text) if where == "body" else made("编号 {{ number }}", **{where: text})

    [fault] = check(file)

    assert (fault.part, "incident_nummer" in fault.near) == (where, True)
    assert "没有“incident_nummer”这个字段" in fault.zh
    assert fault.zh.startswith({"body": "正文", "header": "页眉", "footer": "页脚"}[where])
    with pytest.raises(TemplateFaulty, match="incident_nummer"):
        docx.render(file, FULL, MADE_AT)


def test_all_unknown_fields_are_told_at_once() -> None:
    assert [fault.near for fault in check(made("{{ one }}", "{{ number }}", "{{ two }} {{ three }}"))] == [
        "{{ one }}", "{{ two }} {{ three }}", "{{ two }} {{ three }}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("第二段 {{ number", "语法错误"),
        ("第二段 {% if unit %}", "语法错误"),
        ("第二段 {% for r in replies %}{{ r.peeple }}{% endfor %}", "没有这个字段"),
        ("第二段 {{ latest.nothing }}", "没有这个字段"),
        ("第二段 {{ replies[0].people }}", "没有这个字段"),  # there is no reply yet when an order is issued
        ("第二段 {{ 1 / 0 }}", "无法执行"),
        ("第二段 {{ number.nosuch() }}", "没有这个字段"),
        ("第二段 {{ number.__class__.__mro__ }}", "无法执行"),
        ("第二段 {{ ''.__class__.__base__.__subclasses__() }}", "无法执行"),
        ("第二段 {% include 'x' %}", "无法执行"),
        ("第二段 {% for n in range(10000000) %}{% endfor %}", "无法执行"),
        ("第二段 {{ number | nofilter }}", "语法错误"),
    ],
)
def test_what_cannot_be_carried_out_is_named_with_its_place(text: str, words: str) -> None:
    faults = check(made("第一段 {{ number }}", text))

    assert [words in fault.zh for fault in faults] == [True], faults
    assert faults[0].near.startswith("第二段")


def test_a_template_reaches_nothing_of_the_program() -> None:
    for text in ("{{ number.__init__.__globals__ }}", "{{ ratings.append(1) }}", "{{ self._TemplateReference__context }}"):
        with pytest.raises(TemplateFaulty):
            docx.render(made(text), FULL, MADE_AT)


def zip_of(name: str, content: bytes, times: int = 1) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(times):
            archive.writestr(f"{number}{name}", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "DOCX"),
        (b"%PDF-1.7 nothing", "DOCX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "DOCX"),
        (zip_of("word/document.xml", b"<a/>"), "DOCX"),
        (letterhead.shipped("zh")[:20000], "DOCX"),
        (zip_of("word/document.xml", bytes(65 << 20)), "压缩炸弹"),
        (zip_of("part.xml", b"<a/>", times=2001), "压缩炸弹"),
        (zip_of("word/vbaProject.bin", b"macro"), "宏"),
        (bytes(9 << 20), "过大"),
    ],
    ids=["empty", "pdf", "doc", "zip", "cut", "bomb", "many parts", "macros", "large"],
)
def test_a_file_that_is_no_template_is_refused_in_words(file: bytes, words: str) -> None:
    [fault] = check(file)

    assert words in fault.zh


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateFaulty, match=r"none\.docx"):
        template.read(tmp_path / "none.docx")


def test_mark_up_in_what_people_typed_stays_text() -> None:
    hostile = "</w:t></w:r><w:p>{{ number }} {% if %} & <b>粗</b>\x00\x0b\u202e {_{ number }_}"
    file = docx.render(letterhead.shipped("zh"), replace(FULL, own_words=cleaner(())(hostile), own_words_note=""), MADE_AT)

    assert cells(file)["当事人陈述"].startswith("</w:t></w:r><w:p>{{ number }} {% if %} & <b>粗</b> ")


@settings(deadline=None)
@given(st.text())
def test_whatever_was_typed_the_document_can_be_read_again(text: str) -> None:
    file = docx.render(made("{{ own_words }}"), replace(FULL, own_words=cleaner(())(text)), MADE_AT)

    assert Document(io.BytesIO(file)).paragraphs
