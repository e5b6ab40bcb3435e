"""What machines ask of the console, without a log-in: whether it lives, whether it can work, and how it stands in numbers."""

from flask import Blueprint, Response, request

from ivr.console.services import services
from ivr.nearby import bears, is_nearby

health = Blueprint("health", __name__)

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@health.get("/healthz")
def healthz() -> tuple[dict[str, str], int]:
    """The process answers; asks nothing of anybody."""
    return {"status": "ok"}, 200


@health.get("/readyz")
def readyz() -> Response | tuple[dict[str, str], int]:
    """Whether the house can do its work: 200, or 503 with the needs that fail; for this machine, or with the token."""
    if not _may_know():
        return _refusal()
    status, found = services().operations.ready()
    return found, status


@health.get("/metrics")
def metrics() -> Response:
    """Everything there is to scrape, in Prometheus' text format; for this machine, or with the token."""
    if not _may_know():
        return _refusal()
    return Response(services().operations.metrics(), content_type=METRICS_TYPE)


def _may_know() -> bool:
    return is_nearby(request.environ) or bears(request.environ, services().operations.token)


def _refusal() -> Response:
    return Response("for this machine, or with the token of operations\n", 403, mimetype="text/plain")
