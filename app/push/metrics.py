"""Prometheus series of the pushes."""

from typing import Final

from prometheus_client import Counter, Gauge

DELIVERIES: Final = Counter(
    "timetodo_push_deliveries",
    "Requests to push services by this server, by what became of them",
    ["outcome"],
)
DROPPED: Final = Counter(
    "timetodo_push_dropped",
    "Pushes given up: too often tried, too old, or refused",
)
PENDING: Final = Gauge(
    "timetodo_push_pending",
    "Pushes of the whole board that wait to be sent, as this server saw it last",
)
