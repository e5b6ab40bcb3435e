"""Routes beside the carrier's: the clock, the journal, faults, who answers. For this machine alone."""

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from ivr.carrier.simulator import access, callees
from ivr.carrier.simulator.clock import moment
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.faults import plan_from


def blueprint(exchange: Exchange) -> Blueprint:
    """`/simulator/clock`, `/journal`, `/faults`, `/callees`."""
    routes = Blueprint("simulator", __name__, url_prefix="/simulator")

    @routes.before_request
    def guard() -> None:
        if not access.from_this_machine(request.remote_addr):
            abort(403)

    @routes.get("/clock")
    def clock() -> ResponseReturnValue:
        return _clock(exchange)

    @routes.post("/clock")
    def set_clock() -> ResponseReturnValue:
        wish = request.get_json(silent=True) or {}
        try:
            _move(exchange, wish)
        except (RuntimeError, ValueError, TypeError) as problem:
            return {"problem": str(problem)}, 400
        return _clock(exchange)

    @routes.get("/journal")
    def journal() -> ResponseReturnValue:
        return {"calls": exchange.journal(since=request.args.get("since", 0, type=int))}

    @routes.get("/faults")
    def faults() -> ResponseReturnValue:
        return exchange.faults.plan.to_json()

    @routes.post("/faults")
    def set_faults() -> ResponseReturnValue:
        try:
            exchange.inflict(plan_from(request.get_json(silent=True) or {}, exchange.faults.plan))
        except ValueError as problem:
            return {"problem": str(problem)}, 400
        return exchange.faults.plan.to_json()

    @routes.get("/callees")
    def table() -> ResponseReturnValue:
        return {"callees": list(callees.rows())}

    return routes


def _move(exchange: Exchange, wish: dict[str, Any]) -> None:
    if wish.get("mode") == "real":
        exchange.schedule.run_in_real_time()
    elif wish.get("mode") == "virtual":
        exchange.schedule.freeze()
    elif "until" in wish:
        until = datetime.fromisoformat(wish["until"])
        if until.tzinfo is None:
            raise ValueError("until needs a time zone")
        exchange.run_until(until)
    else:
        raise ValueError("say until (ISO time) or mode (real, virtual)")


def _clock(exchange: Exchange) -> dict[str, Any]:
    following = exchange.next_event_at()
    return {
        "now": moment(exchange.clock.now()).isoformat(), "next_event_at": following.isoformat() if following else None,
        "live_calls": len(exchange.live_calls()), "mode": "real" if exchange.clock.running else "virtual",
    }  # fmt: skip
