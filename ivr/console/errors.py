"""Error pages: what happened, what to do, and a number to quote. Never a stack trace, never which ids exist (RS65, O42)."""

import logging
import secrets
from dataclasses import dataclass

from flask import Flask, abort, request
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException

from ivr.console.access import note_refusal
from ivr.console.rendering import render
from ivr.console.uploads import refused_files
from survey.errors import NotFound

logger = logging.getLogger(__name__)

WORDS = {
    400: (_l("请求无法处理"), _l("页面可能已过期。请返回上一页，刷新后重试。")),
    403: (_l("无访问权限"), _l("您的账号无权访问此页面。如工作需要，请联系管理员。")),
    404: (_l("页面不存在"), _l("请检查地址，或从左侧菜单重新进入。")),
    405: (_l("不支持的操作"), _l("请返回上一页，用页面上的按钮操作。")),
    409: (_l("状态已变化"), _l("此操作与当前状态不符，请刷新页面后重试。")),
    413: (_l("内容过大"), _l("请缩短内容后再提交。")),
    500: (_l("系统出错"), _l("您的操作可能未完成。请稍后重试；如仍有问题，请将下方编号告知管理员。")),
    503: (
        _l("数据库没有应答"),
        _l(
            "数据库或其网络暂时没有应答，您的操作可能未完成。恢复后无需处理：请稍后刷新并核对；超过一分钟仍未恢复，请将下方编号告知管理员。"
        ),
    ),
}

ASK_NO_MORE = 286
"""The status at which htmx puts the answer in its place and stops asking for it; at 403 and 404 it would go on for ever."""


@dataclass(frozen=True)
class ErrorPage:
    """What the error page shows. `reference` stands in the log beside the error, `back` leads to the form that was refused."""

    status: int
    title: str
    advice: str
    reference: str
    back: str = ""


def handle_errors(app: Flask) -> None:
    """Answer every error with a page of our own."""
    app.before_request(_refuse_unstorable)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFound, lambda error: _page(404))
    app.register_error_handler(CSRFError, lambda error: _page(400))
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(NoConnectionFree, _no_database)
    app.register_error_handler(Exception, _unexpected)


def _refuse_unstorable() -> None:
    """No keyboard types the character NUL, and PostgreSQL stores none: it is refused at the door."""
    given = [request.path, *request.args, *request.args.values(), *request.form, *request.form.values()]
    if any("\x00" in text for text in given):
        abort(400)


def _http_error(error: HTTPException) -> tuple[str, int]:
    if error.code == 403:
        note_refusal()
    return _page(error.code or 500)


def _no_database(error: Exception) -> tuple[str, int]:
    """The database is away, hangs, is full, or has no connection free: nobody's fault at the desk, and it passes."""
    return _failed(error, 503)


def _unexpected(error: Exception) -> tuple[str, int]:
    return _failed(error, 500)


def _failed(error: Exception, status: int) -> tuple[str, int]:
    reference = _reference()
    logger.error(
        "unexpected error %s in %s: %s",
        reference,
        request.endpoint,
        type(error).__name__,
        exc_info=error,
        extra={"action": "console.failed", "reference": reference},
    )
    return _page(status, reference)


def _reference() -> str:
    return secrets.token_hex(4).upper()


def _page(status: int, reference: str | None = None) -> tuple[str, int]:
    if status in (403, 404) and request.method == "GET" and request.headers.get("HX-Request") == "true":
        return render("errors/_gone.html", None), ASK_NO_MORE
    shown = status if status in WORDS else 400 if status < 500 else 500
    title, advice, back = *WORDS[shown], ""
    if status == 413 and (files := refused_files()):
        title, advice, back = _l("文件过大"), _files_too_large(files.megabytes), files.back
    if reference is None:  # else it stands beside the error
        reference = _reference()
        logger.info(
            "answered %s with reference %s at %s",
            status,
            reference,
            request.endpoint,
            extra={"action": "console.refused", "reference": reference},
        )
    return render("errors/error.html", ErrorPage(status, str(title), str(advice), reference, back)), status


def _files_too_large(megabytes: int) -> LazyString:
    return _l(
        "一次提交的文件合计不得超过 %(size)s MB。请用浏览器的“后退”回到所填内容，减少文件、分几次提交，或压缩照片。", size=megabytes
    )  # fmt: skip
