"""Prometheus series of the HTTP side; the sockets' are read from their statistics when asked for."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REQUEST_SECONDS: Final = Histogram(
    "timetodo_http_request_seconds",
    "Time from a request to the end of its answer",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
_GAUGES: Final = ("active_connections", "authenticated_users", "anonymous_connections", "active_rooms", "uptime_s")


class SocketCollector(Collector):
    """Turns the numbers of GET /ws/stats into series named `timetodo_ws_…`."""

    def __init__(self, read_stats: Callable[[], dict[str, Any]]) -> None:
        self._read_stats = read_stats

    def collect(self) -> Iterator[Metric]:
        """Yield one series for each number."""
        for name, value in self._read_stats().items():
            if name in _GAUGES:
                yield GaugeMetricFamily(f"timetodo_ws_{name}", f"WebSocket: {name}", value)
            else:
                yield CounterMetricFamily(f"timetodo_ws_{name}", f"WebSocket: {name}", value)


def render(read_stats: Callable[[], dict[str, Any]]) -> bytes:
    """Return all series in the Prometheus text format."""
    sockets = CollectorRegistry()
    sockets.register(SocketCollector(read_stats))
    return generate_latest(REGISTRY) + generate_latest(sockets)
