"""The template that is shipped, after GB/T 9704: A4, its margins, 22-point title, 16-point text. Fonts are named, not shipped.

A bureau takes it as a beginning (`./huifang order template new FILE`), edits it in WPS or Word and names its file in the settings.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from survey.paper.words import Words

SONG, FANG, HEI = "方正小标宋简体", "仿宋_GB2312", "黑体"
"""The fonts that GB/T 9704 asks for; where one is lacking, WPS and Word take the nearest."""

LATIN = "Times New Roman"
RED = RGBColor(0xC0, 0x00, 0x00)
PAGE, MARGINS = (Mm(210), Mm(297)), {"top": Mm(37), "bottom": Mm(35), "left": Mm(28), "right": Mm(26)}
HEAD, TITLE, TEXT, CELL, FOOT = Pt(28), Pt(22), Pt(16), Pt(12), Pt(14)
LINE, WIDTHS = Pt(28), (Mm(28), Mm(50), Mm(28), Mm(50))
BLANK = Mm(40)

Row = tuple[str, ...]
"""One row of the form: label and value, or two of such; a single text is a row of the template's own words (`{%tr … %}`)."""


@cache
def shipped(language: str) -> bytes:
    """The shipped template in `zh` or `en`."""
    say, document = Words(language), Document()
    _page(document)
    _head(document, say)
    _form(document, _rows(say))
    _close(document, say)
    _footer(document)
    written = datetime(2026, 1, 1)  # noqa: DTZ001 -- a property of the file, which knows no zone
    document.core_properties.author = document.core_properties.last_modified_by = ""
    document.core_properties.created = document.core_properties.modified = written
    document.core_properties.title, document.core_properties.comments = say("接处警电话回访交办单", "Order after a callback"), ""
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = PAGE
    section.top_margin, section.bottom_margin = MARGINS["top"], MARGINS["bottom"]
    section.left_margin, section.right_margin = MARGINS["left"], MARGINS["right"]
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, TEXT
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FANG)


def _head(document: Any, say: Words) -> None:
    bureau = _paragraph(document, "{{ bureau }}", SONG, HEAD, RED, WD_ALIGN_PARAGRAPH.CENTER)
    bureau.paragraph_format.space_after = Pt(6)
    number = _paragraph(
        document, say("〔{{ year }}〕{{ serial }}号", "No. {{ year }}-{{ serial }}"), FANG, TEXT, None, WD_ALIGN_PARAGRAPH.CENTER
    )
    _underline(number)
    title = say("接处警电话回访交办单", "Order after a callback")
    _paragraph(document, title, SONG, TITLE, None, WD_ALIGN_PARAGRAPH.CENTER).paragraph_format.space_before = Pt(14)
    _paragraph(document, say("{{ unit }}：", "To: {{ unit }}"), FANG, TEXT)
    told = say(
        "经电话回访，下列警情当事人对处警工作不满意。请于{{ due_on }}24时前查明情况、落实整改，并书面回复。",
        "Called back, the person of this incident was dissatisfied. Please find out what happened, put it right, and reply "
        "by the end of {{ due_on }}.",
    )
    _paragraph(document, told, FANG, TEXT).paragraph_format.first_line_indent = TEXT * 2


def _rows(say: Words) -> list[Row]:
    return [
        (say("警情编号", "Incident"), "{{ incident_number }}", say("警情类别", "Category"), "{{ category }}"),
        (say("报警时间", "Reported"), "{{ occurred_at }}", say("处警民警", "Officer"), "{{ officer }}"),
        (say("回访时间", "Called"), "{{ called_at }}", say("作答方式", "Answered by"), "{{ call_mode }}"),
        (say("交办原因", "Reason"), "{{ reasons }}", say("不满意事项", "Bad ratings"), "{{ items }}"),
        (say("五项评价", "Ratings"), "{% for one in ratings %}{{ one.item }}" + say("：", ": ") + "{{ one.answer }}{{ one.bad }}"
         "{% if not loop.last %}" + say("；", "; ") + "{% endif %}{% endfor %}"),
        (say("当事人陈述", "In own words"), "{{ own_words }}{% if own_words_note %}"
         + say("（{{ own_words_note }}）", " ({{ own_words_note }})") + "{% endif %}"),
        (say("联系意愿", "Contact"), "{{ consent }}"),
        (say("当事人", "Person"), "{{ person_name }}", say("联系电话", "Telephone"), "{{ person_number }}"),
        (say("签发", "Issued"), "{{ issued_by }} {{ issued_at }}", say("签收", "Signed for"), "{{ signed_by }} {{ signed_at }}"),
        ("{%tr for one in replies %}",),
        (say("第{{ one.round }}次回复", "Reply {{ one.round }}"),
         say("核查结论：{{ one.finding }}；原因：{{ one.cause }}", "Finding: {{ one.finding }}; cause: {{ one.cause }}")
         + _if("visited_on", say("上门：{{ one.visited_on }}，{{ one.people }}{% if one.place %}，{{ one.place }}{% endif %}",
                                 "Visit: {{ one.visited_on }}, {{ one.people }}{% if one.place %}, {{ one.place }}{% endif %}"))
         + _if("measure", say("整改措施：", "Measure: ") + "{{ one.measure }}")
         + _if("explanation", say("情况说明：", "Explanation: ") + "{{ one.explanation }}")
         + _if("improvement", say("改进情况：", "Improvement: ") + "{{ one.improvement }}")
         + say("\n（{{ one.by }}，{{ one.at }}）", "\n({{ one.by }}, {{ one.at }})")),
        ("{%tr endfor %}",),
        ("{%tr if not latest.finding %}",),
        (say("核查及整改", "Finding, measure"), ""),
        ("{%tr endif %}",),
        (say("延期", "Extension"), "{{ extension }}", say("申诉", "Appeal"), "{{ appeal }}"),
        (say("退回次数", "Returned"), "{{ returns }} {{ supervised }}", say("责任追究", "Accountability"), "{{ accountability }}"),
        (say("再次回访", "Second call"), "{{ recall }}", say("办结", "Closed"), "{{ outcome }} {{ closed_at }}"),
        (say("归档号", "Archive"), "{{ archive_number }}", say("附件", "Attachments"), "{{ attachments }}"),
    ]  # fmt: skip


def _if(part: str, text: str) -> str:
    """A line of a reply that stands there where the reply has that part: texts end as they were typed, without a full stop of ours."""
    return f"{{% if one.{part} %}}\n{text}{{% endif %}}"


def _form(document: Any, rows: Sequence[Row]) -> None:
    table = document.add_table(rows=0, cols=len(WIDTHS))
    table.style, table.autofit = "Table Grid", False
    for row in rows:
        cells = table.add_row().cells
        for cell, width in zip(cells, WIDTHS, strict=True):
            cell.width = width
        if len(row) == 1:
            _write(cells[0].merge(cells[3]), row[0])
        elif len(row) == 2:
            _write(cells[0], row[0], HEI)
            _write(cells[1].merge(cells[3]), row[1])
            if not row[1]:
                table.rows[-1].height, table.rows[-1].height_rule = BLANK, WD_ROW_HEIGHT_RULE.AT_LEAST
        else:
            for place, text in enumerate(row):
                _write(cells[place], text, FANG if place % 2 else HEI)


def _write(cell: Any, text: str, font: str = FANG) -> None:
    _dress(cell.paragraphs[0].add_run(text), font, CELL, None)


def _close(document: Any, say: Words) -> None:
    signature = say("单位负责人（签字）：                    年    月    日", "Head of the unit (signature):                    Date:")
    _paragraph(document, signature, FANG, TEXT, None, WD_ALIGN_PARAGRAPH.RIGHT).paragraph_format.space_before = Pt(14)
    _paragraph(document, "{{ bureau }}", FANG, TEXT, None, WD_ALIGN_PARAGRAPH.RIGHT)
    _paragraph(document, "{{ issued_on }}", FANG, TEXT, None, WD_ALIGN_PARAGRAPH.RIGHT)


def _footer(document: Any) -> None:
    """— 1 — in the middle of each page's foot; the number of the order and who made this copy beside it."""
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _dress(paragraph.add_run("— "), "宋体", FOOT, None)
    run = paragraph.add_run()
    _dress(run, "宋体", FOOT, None)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        mark = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark.text = text
        run._r.append(mark)
    _dress(paragraph.add_run(" —"), "宋体", FOOT, None)
    _dress(document.sections[0].footer.add_paragraph().add_run("{{ number }}  {{ printed_by }}  {{ printed_at }}"), FANG, Pt(9), None)


def _paragraph(
    document: Any, text: str, font: str, size: Pt, colour: RGBColor | None = None, alignment: WD_ALIGN_PARAGRAPH | None = None
) -> Any:
    paragraph = document.add_paragraph()
    paragraph.alignment = alignment
    spacing = paragraph.paragraph_format
    spacing.space_before = spacing.space_after = Pt(0)
    spacing.line_spacing_rule, spacing.line_spacing = WD_LINE_SPACING.AT_LEAST, LINE
    _dress(paragraph.add_run(text), font, size, colour)
    return paragraph


def _dress(run: Any, font: str, size: Pt, colour: RGBColor | None) -> None:
    run.font.name, run.font.size = LATIN, size
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if colour is not None:
        run.font.color.rgb = colour


def _underline(paragraph: Any) -> None:
    """The red line below the head."""
    borders, line = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "6"), ("color", str(RED))):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    paragraph._p.get_or_add_pPr().insert_element_before(borders, "w:spacing", "w:ind", "w:jc")
