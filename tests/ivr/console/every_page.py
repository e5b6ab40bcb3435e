"""An example of every page of the console, in the states that change it; and the routes that are no pages, with the reason.

A new GET route must be entered here: `test_every_page` compares the table with the routes of the app.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from survey import accounts

HALF, NOBODY = "half", ""
"""Who has given the password and not yet the code; who has not logged in."""


@dataclass(frozen=True)
class Example:
    """An address as the role sees it, `{names}` of the house filled in; with `form`, what that form of the page answers to `typed`."""

    role: str
    path: str
    status: int = 200
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def title(self) -> str:
        """What a failing test is called."""
        return f"{self.role or 'nobody'} {self.path}{' → ' + self.form if self.form else ''}"


def _seen(path: str, *roles: str) -> tuple[Example, ...]:
    return tuple(Example(role, path) for role in roles)


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "account.show": (*_seen("/account", "operator", "unit", "newcomer"),),
    "alarms.index": _seen("/alarms", "administrator", "auditor"),
    "audit.check": _seen("/audit/check", "auditor"),
    "audit.index": (*_seen("/audit", "auditor"), *_seen("/audit?page=2", "auditor")),
    "bulk.show_assign": _seen("/escalations/bulk/assign?id={ticket_free}&id={ticket_closed}", "centre"),
    "bulk.show_issue": _seen("/orders/bulk/issue?id={case_ripe}", "centre"),
    "bulk.show_print": _seen("/orders/bulk/print?id={order_issued}&id={order_late}", "centre", "unit"),
    "bulk.show_urge": _seen("/orders/bulk/urge?id={order_issued}&id={order_closed}", "centre"),
    "calendar.index": _seen("/calendar", "administrator"),
    "calls.index": (*_seen("/campaigns/{campaign}/calls", "operator"), *_seen("/campaigns/{campaign}/calls?page=2", "operator")),
    "calls.listen": _seen("/recordings/{recording}/permits/{permit}", "operator"),
    "calls.show": _seen("/calls/{call}", "operator", "administrator"),
    "campaigns.index": _seen("/campaigns", "administrator", "commander"),
    "campaigns.show": (
        *_seen("/campaigns/{campaign}", "administrator", "commander"), *_seen("/campaigns/{paused}", "administrator"),
        *_seen("/campaigns/{followup}", "administrator"), *_seen("/campaigns/{stopped}", "administrator"),
    ),
    "deliveries.index": _seen("/notices/deliveries", "administrator"),
    "desk.index": _seen("/desk", "operator", "centre", "administrator"),
    "desk.show": tuple(
        Example("operator", f"/desk/calls/{{takeover_{state}}}")
        for state in ("claimed", "ready", "talking", "held", "muted", "steering", "danger", "wrap", "done")
    ),
    "escalations.index": (
        *_seen("/escalations", "operator", "inspection"), *_seen("/escalations?tab=mine", "operator"),
        *_seen("/escalations?tab=unclaimed", "operator"), *_seen("/escalations?tab=closed", "operator"),
    ),
    "hearings.index": _seen("/hearings", "operator"),
    "hearings.queue": (*_seen("/hearings/review", "operator"), *_seen("/hearings/review?reviewed=all", "operator")),
    "hearings.show": _seen("/hearings/{hearing}", "operator"),
    "home.index": _seen("/", "administrator", "operator", "centre", "inspection", "unit", "commander", "auditor"),
    "ledger.index": _seen("/ledger?month=2026-10", "centre", "unit"),
    "ledger.show": _seen("/ledger/{incident}", "centre"),
    "login.code": _seen("/login/code", HALF),
    "login.show": _seen("/login", NOBODY),
    "notices.index": _seen("/notices", "centre", "unit", "inspection"),
    "order_documents.show": (
        *_seen("/orders/{order_answered}/print", "centre"), *_seen("/orders/{order_refusing}/print", "unit", "commander"),
    ),
    "orders.index": (
        *_seen("/orders", "centre", "unit", "inspection"), *_seen("/orders?tab=all", "centre", "unit"),
        *_seen("/orders?tab=to_issue", "centre"), *_seen("/orders?tab=overdue", "commander"), *_seen("/orders?tab=ended", "unit"),
    ),
    "orders.show": (
        *(Example(role, f"/orders/{{order_{state}}}") for role, states in {
            "unit": ("issued", "signed", "in_hand", "with_files", "returned", "refusing", "supervised", "late", "closed"),
            "centre": ("issued", "extension", "appeal", "answered", "recalling", "with_files", "late", "supervised", "closed", "void"),
            "commander": ("late", "supervised"),
        }.items() for state in states),
        *_seen("/orders/{order_abuse}", "inspection"),
    ),
    "register.index": _seen("/register?month=2026-10", "centre", "unit", "commander"),
    "remarks.index": _seen("/remarks", "operator"),
    "remarks.show": _seen("/remarks/{recording}", "operator"),
    "reports.index": _seen("/reports", "commander"),
    "reports.sheet": _seen("/reports/2026-10", "commander"),
    "reviews.index": _seen("/reviews", "operator"),
    "suppressions.index": (*_seen("/suppressions", "operator"), *_seen("/suppressions?tab=lifted", "operator")),
    "tickets.show": (
        *_seen("/escalations/{ticket_free}", "operator"), *_seen("/escalations/{ticket_mine}", "operator", "centre"),
        *_seen("/escalations/{ticket_closed}", "operator"), *_seen("/escalations/{ticket_twin}", "operator"),
    ),
    "units.index": _seen("/units", "administrator"),
    "users.index": _seen("/users", "administrator"),
    "users.show": (*_seen("/users/operator", "administrator"), *_seen("/users/unit", "administrator")),
    "weekly.index": _seen("/weekly", "centre", "unit"),
}  # fmt: skip
"""Endpoint → its page, as different roles and states show it."""

NO_PAGES = {
    "static": "files",
    "health.healthz": "for machines", "health.readyz": "for machines", "health.metrics": "for machines",
    "calls.sound": "a sound", "hearings.sound": "a sound",
    "desk.board": "a part of desk.index", "desk.state": "a part of desk.show", "takeovers.course": "a part of desk.show",
    "takeovers.person": "a part of desk.show", "campaigns.progress": "a part of campaigns.show",
    "company.of_order": "a part of orders.show", "company.of_ticket": "a part of tickets.show", "live.listen": "a socket",
    "reports.style": "a style sheet", "weekly.style": "a style sheet",
    "ledger.export": "a table to take away", "weekly.download": "a table to take away",
    "order_documents.download": "a DOCX or PDF to take away", "order_files.show": "a picture or PDF of an order",
    "reports.download": "a file to take away; its HTML is the sheet of reports.sheet, and looked at by test_the_sheet_to_take_away",
}  # fmt: skip
"""GET routes that show no page of their own, and why."""

_WRONG = {"reason": ""}
COMPLAINTS = (
    Example(NOBODY, "/login", 401, "/login", {"name": "operator", "password": "wrong"}),
    Example(HALF, "/login/code", 401, "/login/code", {"code": "000000"}),
    Example("operator", "/account", 422, "/account/password", {"old": "wrong", "new": "short", "repeated": "short"}),
    Example("operator", "/account", 422, "/account/second-factor", {"password": "wrong"}),
    Example("operator", "/account", 422, "/account/telephone", {"telephone": "12"}),
    Example("administrator", "/users", 422, "/users", {"name": "X", "role": "operator"}),
    Example("administrator", "/users/operator", 422, "/users/operator/change", {"display_name": "", "email": "no address"}),
    Example("administrator", "/units", 422, "/units/email", {"email": "no address"}),
    Example("administrator", "/calendar", 422, "/calendar/change", {"day": "2026-02-31"}),
    Example("administrator", "/calendar", 422, "/calendar/import"),
    Example("administrator", "/campaigns/{campaign}", 422, "/campaigns/{campaign}/pace", {"lines": "drei"}),
    Example("administrator", "/campaigns/{campaign}", 422, "/campaigns/{campaign}/limits", {"hourly_calls": "0"}),
    Example("operator", "/calls/{call}", 422, "/calls/{call}/unmask", _WRONG),
    Example("operator", "/calls/{call}", 200, "/calls/{call}/unmask", {"reason": "本人来电查询进度"}),
    Example("operator", "/suppressions", 422, "/suppressions", {"number": "12"}),
    Example("operator", "/suppressions", 422, "/suppressions/search", {"number": "12"}),
    Example("operator", "/remarks/{recording}", 422, "/remarks/{recording}/open", _WRONG),
    Example("operator", "/escalations/{ticket_mine}", 422, "/escalations/{ticket_mine}/note", {"text": ""}),
    Example("operator", "/desk/calls/{takeover_wrap}", 422, "/desk/calls/{takeover_wrap}/wrap-up",
            {"verdict": "resolved", "consent": "yes"}),
    Example("unit", "/orders/{order_in_hand}", 422, "/orders/{order_in_hand}/answer", {"finding": ""}),
    Example("unit", "/orders/{order_in_hand}", 422, "/orders/{order_in_hand}/appeal", {"ground": ""}),
    Example("unit", "/orders/{order_in_hand}", 422, "/orders/{order_in_hand}/ask-extension", {"days": "99"}),
    Example("centre", "/orders/{order_answered}", 422, "/orders/{order_answered}/return", _WRONG),
    Example("centre", "/orders/{order_answered}", 422, "/orders/{order_answered}/contact", _WRONG),
    Example("centre", "/orders/{order_answered}/print", 422, "/orders/{order_answered}/print/contact", _WRONG),
    Example("unit", "/register?month=2026-10", 422, "/register/entries", {"number": "", "state": "signed"}),
    Example("unit", "/register?month=2026-10", 422, "/register/import"),
)  # fmt: skip
"""Forms that are refused, or show what they were asked for."""

ERRORS = (
    Example("operator", "/?q=%00", 400), Example("unit", "/audit", 403), Example("operator", "/nowhere", 404),
    Example("operator", "/logout", 405), Example(NOBODY, "/nowhere", 404),
)  # fmt: skip
"""Pages that say what went wrong; 409, 413, 500 and 503 are the same page with other words."""

CHINESE_DATA = re.compile(
    "|".join((
        "城东派出所", "城西派出所", "高新区派出所", "城[南北]派出所", "测试[a-z]+", r"20\d\d年\d+月(回访|警情)(·回访复核)?", "警情回访",
        "邻里纠纷", "纠纷", r"报\*\*", r"民\*\*", r"民警\d+", r"报警人\d*", "东环路", "钱所长", "批评教育", "现场", "误[建发]", "线路维护",
        "人民路口", "需外地核实", "录像显示三分钟到场", "措施不具体", "当事人出国", "10:20 致电，本人约下午再谈", "已答复，本人无异议",
        "本人来[函电]", "赵小满", "核实投诉内容", "查询进度", "满意", "建议",
    ))
)  # fmt: skip
"""What people and units are called and have written: Chinese on English pages too."""
LATIN = {
    *accounts.ROLES, "newcomer", "half", "admin", "system", "console",  # account names, as typed at the log-in
    "English", "PDF", "DOCX", "JPEG", "PNG", "CSV", "XLSX", "XLS", "Excel", "MB", "KB", "Webhook", "WeasyPrint", "Ctrl", "sip",
    "AAPOR", "COOP", "REF", "CON", "RR", "UH", "UO", "NC", "NE", "Wilson", "eff", "date", "kind", "name", "off", "work", "register",
    "import", "column", "chengdong", "south", "police", "example", "org", "small", "zh", "pdf",
}  # fmt: skip
"""Latin words that Chinese pages may say: account names, file formats, codes of the trade, what is typed as it stands."""

EVERYTHING = (*(one for examples in EXAMPLES.values() for one in examples), *COMPLAINTS, *ERRORS)
