"""The left menu: one entry per noun, shown to the roles that may open it."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from ivr.console.access import is_allowed, visitor

MENU: tuple[tuple[tuple[str, ...], str, LazyString], ...] = (
    (("home",), "home.index", _l("本月工作")),
    (("campaigns", "calls", "bookings"), "campaigns.index", _l("回访任务")),
    (("desk",), "desk.index", _l("值班台")),
    (("escalations", "tickets"), "escalations.index", _l("人工队列")),
    (("orders", "order_handling", "order_decisions", "order_files", "bulk"), "orders.index", _l("交办单")),
    (("remarks",), "remarks.index", _l("群众意见")),
    (("hearings",), "hearings.index", _l("语音作答")),
    (("reviews",), "reviews.index", _l("待核查")),
    (("weekly",), "weekly.index", _l("每周清单")),
    (("notices",), "notices.index", _l("通知")),
    (("deliveries",), "deliveries.index", _l("通知发送")),
    (("suppressions",), "suppressions.index", _l("拒访登记")),
    (("reports",), "reports.index", _l("月度报表")),
    (("register",), "register.index", _l("现场回访登记")),
    (("ledger",), "ledger.index", _l("四级回访台账")),
    (("calendar",), "calendar.index", _l("工作日历")),
    (("alarms",), "alarms.index", _l("警报")),
    (("audit",), "audit.index", _l("审计记录")),
    (("users",), "users.index", _l("账号")),
    (("units",), "units.index", _l("单位名册")),
)
"""The blueprints of an entry, the page that it opens, its words."""


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    label: str
    address: str
    current: bool


def menu() -> list[Entry]:
    """The menu of the visitor; empty before the log-in."""
    person = visitor()
    if person is None:
        return []
    return [
        Entry(str(label), url_for(endpoint), request.blueprint in nouns)
        for nouns, endpoint, label in MENU
        if is_allowed(endpoint, person.role)
    ]
