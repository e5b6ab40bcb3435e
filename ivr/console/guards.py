"""What the guards of dialling see of a campaign, as its page tells it: each figure beside the limit at which dialling holds back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ivr.console.language import moment
from ivr.console.words import BAD, CARE, Tag
from survey.fieldwork import limits, silence
from survey.fieldwork.silence import COUNTED_OVER, HIGHEST_RATE, Silence
from survey.holds import HoldReason
from survey.store.models import Campaign

NEAR = 0.8
"""From which share of a limit on a figure is called near it."""
LONG_LOOK = timedelta(days=30)
"""Over how long silent calls are shown too, as some laws count them; the guard counts over COUNTED_OVER."""


@dataclass(frozen=True)
class Guard:
    """One figure: its name, how much it is, the limit and what it is made of, and how near the limit it is (None: far)."""

    name: str
    value: str
    note: str
    tag: Tag | None = None


def guards(session: Session, campaign: Campaign, holds: Collection[HoldReason], now: datetime) -> list[Guard]:
    """Silent calls over a day and a month, calls over an hour and a day, and the bill; `holds` are the reasons that stand."""
    return [
        _silent_today(session, campaign, holds, now),
        _silent_lately(session, campaign, now),
        *(_calls(session, campaign, holds, cap, now) for cap in limits.CAPS),
        _bill(session, campaign, holds),
    ]


def _silent_today(session: Session, campaign: Campaign, holds: Collection[HoldReason], now: datetime) -> Guard:
    found, since = silence.heard(session, campaign, now - COUNTED_OVER), silence.counted_since(session, campaign, now)
    name, note = _("无声呼叫 · 近 24 小时"), _made_of(found)
    if since > now - COUNTED_OVER:
        again = silence.heard(session, campaign, since)
        note += _("；%(time)s 解除暂缓后重新计数：%(abandoned)s / %(answered)s", time=moment(since), abandoned=again.abandoned,
                  answered=again.answered)  # fmt: skip
    if HoldReason.ABANDONED in holds:
        return Guard(name, _percent(found), note, _held())
    return Guard(name, _percent(found), note, _above() if found.is_above else None)


def _silent_lately(session: Session, campaign: Campaign, now: datetime) -> Guard:
    found = silence.heard(session, campaign, now - LONG_LOOK)
    return Guard(_("无声呼叫 · 近 30 天"), _percent(found), _made_of(found), _above() if found.is_above else None)


def _made_of(found: Silence) -> str:
    limit = f"{HIGHEST_RATE:.0%}"
    if not found.answered:
        return _("上限 %(limit)s；尚无人接听", limit=limit)
    return _("上限 %(limit)s；%(answered)s 人接听，%(abandoned)s 人两秒内未听到声音", limit=limit, answered=found.answered,
             abandoned=found.abandoned)  # fmt: skip


def _percent(found: Silence) -> str:
    return "—" if found.rate is None else f"{found.rate:.1%}"


def _calls(
    session: Session, campaign: Campaign, holds: Collection[HoldReason], cap: tuple[HoldReason, str, timedelta], now: datetime
) -> Guard:
    reason, column, span = cap
    name = _("呼出 · 近 1 小时") if reason is HoldReason.HOURLY_CAP else _("呼出 · 近 24 小时")
    begun, most = limits.started(session, campaign, span, now), getattr(campaign, column)
    note = _("不设上限") if most is None else _("上限 %(limit)s 次", limit=most)
    return Guard(name, str(begun), note, _distance(reason, holds, begun, most))


def _bill(session: Session, campaign: Campaign, holds: Collection[HoldReason]) -> Guard:
    name, most = _("估算话费 · 累计"), campaign.spend_limit
    if not campaign.minute_price:
        if most is None:
            return Guard(name, "—", _("未设每分钟单价"))
        return Guard(name, "—", _("未设每分钟单价，上限 %(limit)s 不起作用", limit=f"{most:.2f}"), Tag(_("须补单价"), "!", CARE))
    spent, price = limits.spent(session, campaign), f"{campaign.minute_price:g}"
    note = _("不设上限；每分钟 %(price)s", price=price)
    if most is not None:
        note = _("上限 %(limit)s；每分钟 %(price)s", limit=f"{most:.2f}", price=price)
    return Guard(name, f"{spent:.2f}", note, _distance(HoldReason.SPEND_LIMIT, holds, spent, most))


def _distance(reason: HoldReason, holds: Collection[HoldReason], now: float, most: float | None) -> Tag | None:
    if reason in holds:
        return _held()
    return Tag(_("接近上限"), "!", CARE) if most is not None and now >= NEAR * most else None


def _held() -> Tag:
    return Tag(_("已暂缓"), "‖", BAD)


def _above() -> Tag:
    return Tag(_("超过上限"), "!", CARE)
