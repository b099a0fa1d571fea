"""What the server is meant to reach, each goal as a figure of ours beside a peer's of the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.attacks import ATTACKS
from benchmarks.results import Figures, Getter, Results, Spread

OURS: Final = "timetodo"


@dataclass(frozen=True)
class Goal:
    """One goal: `measure` returns what was reached, `limit` says what is enough."""

    what: str
    limit: float
    unit: str
    measure: Callable[[Results], Spread | None]
    at_most: bool = False

    @property
    def text(self) -> str:
        """The goal as people read it."""
        if self.limit == 0:
            return "none"
        return f"{'≤' if self.at_most else '≥'} {self.limit:g} {self.unit}".strip()

    def is_reached(self, found: Spread) -> bool:
        """Whether the median is good enough."""
        return found.median <= self.limit if self.at_most else found.median >= self.limit


def get(*names: str) -> Getter:
    """Return a function that takes a figure out of nested ones."""

    def take(figures: Figures) -> float:
        value: float | Figures = figures
        for name in names:
            assert isinstance(value, dict)
            value = value[name]
        assert not isinstance(value, dict)
        return float(value)

    return take


RATE: Final = get("deliveries_per_s")
P99: Final = get("delivery", "p99_ms")
CPU: Final = get("cpu_us_per_delivery")


def _ratio(measurement: str, other: str, figure: Getter) -> Callable[[Results], Spread | None]:
    return lambda results: results.ratio(measurement, OURS, other, figure)


def _own(measurement: str, figure: Getter) -> Callable[[Results], Spread | None]:
    return lambda results: results.spread(measurement, OURS, figure)


def _worst_attack(results: Results) -> Spread | None:
    spreads = [results.spread(f"attack:{name}", OURS, get("victim_p95_ms")) for name in ATTACKS]
    found = [spread for spread in spreads if spread is not None]
    return max(found, key=lambda spread: spread.median) if found else None


def _unserved_victims(results: Results) -> Spread | None:
    rows = [row for name in ATTACKS for row in results.rows(f"attack:{name}", OURS)]
    return Spread.of([float(sum(row["is_cut_off"] or "delivery" not in row for row in rows))]) if rows else None


def _wrong(*measurements: str) -> Callable[[Results], Spread | None]:
    """Return a function that counts what was lost, doubled or out of order, in all repeats together."""

    def count(results: Results) -> Spread | None:
        rows = [row for measurement in measurements for row in results.rows(measurement, OURS)]
        return Spread.of([float(sum(row["lost"] + row["repeated"] for row in rows))]) if rows else None

    return count


def _slow_ratio(results: Results) -> Spread | None:
    return results.ratio("slow:twenty", OURS, OURS, P99, of="slow:none")


def _grown_mib(figures: Figures) -> float:
    return float(figures["grown_kib"]) / 1024


def _storm_change(results: Results) -> Spread | None:
    return Spread.of([abs(value) * 100 for value in results.values("storms", OURS, get("change"))])


GOALS: Final = (
    Goal("fan-out, 32 in flight ÷ C, all pending frames in one send", 0.8, "×", _ratio("fanout:w32", "c_joined", RATE)),
    Goal("fan-out, 32 in flight ÷ naive FastAPI", 30, "×", _ratio("fanout:w32", "naive", RATE)),
    Goal("fan-out, 32 in flight ÷ socket.io", 20, "×", _ratio("fanout:w32", "node_socketio", RATE)),
    Goal("fan-out, 32 in flight ÷ nats-server", 1.5, "×", _ratio("fanout:w32", "nats", RATE)),
    Goal("fan-out, 1 in flight ÷ naive FastAPI", 3, "×", _ratio("fanout:w1", "naive", RATE)),
    Goal("fan-out, 1 in flight ÷ C, one frame a send", 0.65, "×", _ratio("fanout:w1", "c_single", RATE)),
    Goal("200 events/s × 1,000 clients: p99", 60, "ms", _own("fanout:r200", P99), at_most=True),
    Goal("200 events/s × 1,000 clients: lost or doubled", 0, "", _wrong("fanout:r200"), at_most=True),
    Goal(
        "CPU per delivery at 20 events/s ÷ naive FastAPI", 0.33, "×", _ratio("fanout:r20", "naive", CPU), at_most=True
    ),
    Goal("CPU per delivery at 20 events/s ÷ nchan", 1, "×", _ratio("fanout:r20", "nchan", CPU), at_most=True),
    Goal("memory of an idle connection in a room", 6, "KiB", _own("idle", get("kib_each")), at_most=True),
    Goal("the same ÷ naive FastAPI", 0.2, "×", _ratio("idle", "naive", get("kib_each")), at_most=True),
    Goal("connections accepted and joined a second ÷ naive", 3, "×", _ratio("idle", "naive", get("accepted_per_s"))),
    Goal("REST beside 100 events/s × 1,000: p99", 20, "ms", _own("rest:storm", get("http", "p99_ms")), at_most=True),
    Goal("tasks created a second on SQLite ÷ ORM route", 3, "×", _ratio("write:sqlite", "orm", get("http_per_s"))),
    Goal(
        "100 POST/s → last of 1,000 screens: p99", 60, "ms", _own("post", get("last_delivery", "p99_ms")), at_most=True
    ),
    Goal("100 POST/s → 1,000 screens: lost or doubled", 0, "", _wrong("post"), at_most=True),
    Goal("1,000 clients resume 100 events at once", 2, "s", _own("resume", get("until_s")), at_most=True),
    Goal("reads of the log for that", 5, "", _own("resume", get("log_reads")), at_most=True),
    Goal("20 readers stopped while 7 MB pass: growth", 10, "MiB", _own("slow:twenty", _grown_mib), at_most=True),
    Goal("the others' p99 meanwhile ÷ without them", 2, "×", _slow_ratio, at_most=True),
    Goal("memory after many storms, against after half of them: change", 5, "%", _storm_change, at_most=True),
    Goal("soak: lost or doubled", 0, "", _wrong("soak"), at_most=True),
    Goal("worst single-client attack: others' p95", 800, "ms", _worst_attack, at_most=True),
    Goal("attacks in which somebody else was cut off", 0, "", _unserved_victims, at_most=True),
)
