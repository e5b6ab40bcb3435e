"""Lists of the API: the paging envelope and the filters of calls (twilio_voice §1.7)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ivr.carrier.simulator.calls import Call

DAY_SECONDS = 86400.0
DEFAULT_SIZE, LARGEST_SIZE = 50, 1000


def page(items: Sequence[Any], key: str, path: str, args: Mapping[str, str], to_json: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """One page of `items` in the carrier's envelope, the collection under `key`; addresses are relative."""
    size = min(max(_number(args, "PageSize", DEFAULT_SIZE), 1), LARGEST_SIZE)
    number = max(_number(args, "Page", 0), 0)
    start = number * size
    shown = items[start : start + size]

    def uri(which: int) -> str:
        return f"{path}?{urlencode({**{name: args[name] for name in args}, 'PageSize': size, 'Page': which})}"

    return {
        "page": number, "page_size": size, "start": start, "end": max(start, start + len(shown) - 1), "uri": uri(number),
        "first_page_uri": uri(0), "previous_page_uri": uri(number - 1) if number else None,
        "next_page_uri": uri(number + 1) if start + size < len(items) else None, key: [to_json(item) for item in shown],
    }  # fmt: skip


def matching(calls: Iterable[Call], args: Mapping[str, str]) -> list[Call]:
    """The calls that pass the filters From, Status, ParentCallSid, StartTime and EndTime (with < and >), newest first."""
    found = [call for call in calls if _passes(call, args)]
    return sorted(found, key=lambda call: call.ordinal, reverse=True)


def _passes(call: Call, args: Mapping[str, str]) -> bool:
    if args.get("To", call.order.to) != call.order.to or args.get("From", call.order.caller_id) != call.order.caller_id:
        return False
    if args.get("Status", call.status) != call.status:
        return False
    if "ParentCallSid" in args and (call.parent is None or call.parent.sid != args["ParentCallSid"]):
        return False
    return all(_in_time(time, name, args) for time, name in ((call.initiated_at, "StartTime"), (call.ended_at, "EndTime")))


def _in_time(time: float | None, name: str, args: Mapping[str, str]) -> bool:
    """The filters work by UTC day; a call that has not started (ended) passes none of them."""
    for sign in ("", "<", ">"):
        text = args.get(f"{name}{sign}")
        if not text:
            continue
        day = _day(text)
        if time is None:
            return False
        if (sign == "" and not day <= time < day + DAY_SECONDS) or (sign == "<" and time >= day) or (sign == ">" and time < day):
            return False
    return True


def _day(text: str) -> float:
    return datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC).timestamp()


def _number(args: Mapping[str, str], name: str, default: int) -> int:
    text = args.get(name, "")
    return int(text) if text.isdigit() else default
