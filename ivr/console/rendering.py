"""One way to make a page: a template and one small value with everything that it shows."""

from typing import Any

from flask import render_template


def render(template: str, page: Any) -> str:
    """The page as HTML; the template sees the value as `page`."""
    return render_template(template, page=page)
