"""Chinese first, English complete: choice of language, and times in the bureau's zone."""

from datetime import date, datetime

from babel.dates import get_timezone_name
from flask import Flask, g, request, session
from flask_babel import Babel, format_date, format_datetime, get_locale, gettext
from flask_babel import lazy_gettext as _l

from ivr.console.services import services

LANGUAGES = {"zh": "中文", "en": "English"}
WEEKDAYS = (_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日"))


def set_up_languages(app: Flask) -> None:
    """Let each request speak its visitor's language in the bureau's time zone."""
    Babel(app, default_locale="zh", locale_selector=_choose, timezone_selector=lambda: services().office.bureau.zone)  # type: ignore[no-untyped-call]
    app.add_template_filter(moment)
    app.add_template_filter(clock_time)
    app.add_template_filter(calendar_day)


def current_language() -> str:
    """The language of this page: `zh` or `en`."""
    locale = get_locale()
    return locale.language if locale is not None else "zh"


def is_english() -> bool:
    """Whether this page is in English."""
    return current_language() == "en"


def _choose() -> str:
    """What the person chose in this log-in, else in this browser, else what the browser asks for, else Chinese."""
    person = g.get("visitor")
    chosen = (person.language if person is not None else "") or session.get("language", "")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES), default="zh") or "zh"


def moment(value: datetime | None) -> str:
    """Date and time to the minute in the bureau's zone; a dash for none."""
    return _format(value, "yyyy-MM-dd HH:mm") if value else "—"


def clock_time(value: datetime | None) -> str:
    """Time of day to the second in the bureau's zone; a dash for none."""
    return _format(value, "HH:mm:ss") if value else "—"


def calendar_day(value: date | None) -> str:
    """A day, or that of a moment in the bureau's zone, as people say it: 11月30日 周一, Mon 30 Nov."""
    if value is None:
        return "—"
    day = value.astimezone(services().office.bureau.tzinfo).date() if isinstance(value, datetime) else value
    said: str = format_date(day, gettext("M月d日"))  # type: ignore[no-untyped-call]
    return gettext("%(day)s %(weekday)s", day=said, weekday=str(WEEKDAYS[day.weekday()]))


def zone_name() -> str:
    """What people call the zone in which all times are shown."""
    house = services()
    if house.office.bureau.zone == "Asia/Shanghai":
        return gettext("北京时间")
    here = house.clock.now().astimezone(house.office.bureau.tzinfo)
    return str(get_timezone_name(here, width="long", locale=get_locale() or "zh"))


def _format(value: datetime, pattern: str) -> str:
    text: str = format_datetime(value, pattern)  # type: ignore[no-untyped-call]
    return text
