"""The paper → a DOCX by a template; its properties name the order and nobody else (O35)."""

import io
from datetime import datetime

from survey.paper.content import Paper
from survey.paper.template import FAILURES, Fault, TemplateFaulty, check, environment, opened

KIND = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TITLE = "接处警电话回访交办单"


def render(template: bytes, paper: Paper, made_at: datetime) -> bytes:
    """The document of an order. Raises TemplateFaulty naming the place when the template cannot be filled."""
    document = opened(template)
    try:
        document.render(paper.by_name(), environment())
    except FAILURES as error:
        faults = check(template) or (Fault("body", "", f"无法填写（{error}）", f"cannot be filled ({error})"),)
        raise TemplateFaulty(faults) from error
    _name(document.docx.core_properties, paper, made_at)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _name(properties: object, paper: Paper, made_at: datetime) -> None:
    """Whoever wrote the template, or saved it last, is not the author of the order."""
    naive = made_at.replace(tzinfo=None)
    told = {
        "title": f"{TITLE} {paper.number}", "author": paper.bureau, "last_modified_by": "", "comments": "", "keywords": "", "subject": "",
        "category": "", "identifier": paper.number, "revision": 1, "created": naive, "modified": naive,
    }  # fmt: skip
    for name, value in told.items():
        setattr(properties, name, value)
