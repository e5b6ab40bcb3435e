"""The print view as PDF, by WeasyPrint where a bureau has installed it: not a dependency, because it wants Pango from the system (C18)."""

import importlib
from functools import cache
from typing import Any

from survey.errors import NotAllowed

INSTALLATION = "pip install weasyprint==70.0；apt install libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-cjk"
ABSENT = (
    f"本机未安装 WeasyPrint，不能直接生成 PDF。可在打印页用浏览器“另存为 PDF”，或请管理员安装：{INSTALLATION} / "
    f"WeasyPrint is not installed on this machine. Let the browser print to PDF, or install it: {INSTALLATION.replace('；', '; ')}"
)


@cache
def is_available() -> bool:
    """Whether this machine can make PDF; looked at once in the life of the process."""
    try:
        importlib.import_module("weasyprint")
    except (ImportError, OSError):  # OSError: the package is there, Pango is not
        return False
    return True


class Nothing:
    """Fetches nothing, whatever a page links to: the printer goes on without it."""

    _fail_on_errors = False  # asked for by the printer when a fetch has failed

    def __call__(self, url: str, *_rest: object, **_options: object) -> dict[str, object]:
        raise ValueError(f"nothing is fetched for a document: {url[:80]}")


def made_from(page: str, style: str) -> bytes:
    """A page with its style sheet as PDF. Nothing is fetched, whatever the page links to. Raises NotAllowed where it cannot be made."""
    if not is_available():
        raise NotAllowed(ABSENT)
    printer: Any = importlib.import_module("weasyprint")
    document = printer.HTML(string=page, base_url=None, url_fetcher=Nothing())
    made: bytes = document.write_pdf(stylesheets=[printer.CSS(string=style, url_fetcher=Nothing())])
    return made
