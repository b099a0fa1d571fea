"""Prometheus series of the mails."""

from typing import Final

from prometheus_client import Counter, Gauge

DELIVERIES: Final = Counter(
    "timetodo_mail_deliveries",
    "Mails handed to the mail server by this server, by what became of them",
    ["outcome"],
)
DROPPED: Final = Counter("timetodo_mail_dropped", "Mails given up: refused, or too old")
PENDING: Final = Gauge(
    "timetodo_mail_pending",
    "Mails of the whole board that wait to be sent, as this server saw it last",
)
