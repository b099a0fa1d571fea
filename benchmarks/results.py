"""What was measured, repeat by repeat, and the two ways to look at it: values of one peer, ratios of two."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
Getter = Callable[[Figures], float]


@dataclass(frozen=True)
class Spread:
    """The median of some values, and the smallest and greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread | None":
        """Return the spread of values; None when there are none."""
        return cls(statistics.median(values), min(values), max(values)) if values else None


@dataclass
class Results:
    """Figures by measurement (`fanout:w32`), peer and repeat; None where a repeat failed."""

    machine: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How each scenario was measured."""
    labels: dict[str, str] = field(default_factory=dict)
    """Names of peers as people read them."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why a peer, or a measurement (`peer in scenario`), is not there."""
    figures: dict[str, dict[str, list[Figures | None]]] = field(default_factory=dict)

    def record(self, measurement: str, peer: str, repeat: int, figures: Figures) -> None:
        """Keep what one repeat measured."""
        rows = self.figures.setdefault(measurement, {}).setdefault(peer, [])
        rows += [None] * (repeat + 1 - len(rows))
        rows[repeat] = figures

    def done(self, scenario: str, repeats: int, *, quick: bool, minutes: float) -> None:
        """Note how a scenario was measured."""
        where = f"{self.machine['cpu']}, {self.machine['date']}"
        self.plan[scenario] = {"quick": quick, "repeats": repeats, "minutes": round(minutes, 1), "where": where}

    def forget(self, scenario: str) -> None:
        """Drop what was measured of a scenario before."""
        self.plan.pop(scenario, None)
        self.figures = {name: rows for name, rows in self.figures.items() if _scenario(name) != scenario}
        self.missing = {
            what: why for what, why in self.missing.items() if _scenario(what.partition(" in ")[2]) != scenario
        }

    def peers(self, measurement: str) -> list[str]:
        """Return who was measured, in the order of the labels."""
        found = self.figures.get(measurement, {})
        return [peer for peer in self.labels if peer in found]

    def rows(self, measurement: str, peer: str) -> list[Figures]:
        """Return the figures of every repeat that succeeded."""
        return [row for row in self.figures.get(measurement, {}).get(peer, []) if row is not None]

    def values(self, measurement: str, peer: str, get: Getter) -> list[float]:
        """Return one figure of every repeat that has it."""
        found = [_pick(get, row) for row in self.rows(measurement, peer)]
        return [value for value in found if value is not None]

    def spread(self, measurement: str, peer: str, get: Getter) -> Spread | None:
        """Return the spread of one figure."""
        return Spread.of(self.values(measurement, peer, get))

    def ratio(self, measurement: str, peer: str, other: str, get: Getter, *, of: str | None = None) -> Spread | None:
        """Return the spread of a figure of `peer` divided by that of `other` in the same repeat.

        With `of`, `other`'s figure is taken from that measurement instead.
        """
        mine = self.figures.get(measurement, {}).get(peer, [])
        theirs = self.figures.get(of or measurement, {}).get(other, [])
        pairs = [(_pick(get, a), _pick(get, b)) for a, b in zip(mine, theirs, strict=False)]
        return Spread.of([a / b for a, b in pairs if a is not None and b])

    def other_cpu_share(self) -> Spread | None:
        """Return how much of a core all other processes took, over all measurements."""
        rows = [row for peers in self.figures.values() for repeats in peers.values() for row in repeats if row]
        return Spread.of([row["other_cpu_share"] for row in rows if "other_cpu_share" in row])

    def save(self, path: Path) -> None:
        """Write everything as JSON, a line for each peer of each measurement."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps([measurement, peer, rows])
            for measurement, peers in self.figures.items()
            for peer, rows in peers.items()
        ]
        about = {name: value for name, value in self.__dict__.items() if name != "figures"}
        head = json.dumps(about, indent=1, ensure_ascii=False).removesuffix("\n}")
        path.write_text(head + ',\n "figures": [\n' + ",\n".join(lines) + "\n ]\n}\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read what `save` wrote."""
        about = json.loads(path.read_text())
        figures: dict[str, dict[str, list[Figures | None]]] = {}
        for measurement, peer, rows in about.pop("figures"):
            figures.setdefault(measurement, {})[peer] = rows
        return cls(**about, figures=figures)


def _scenario(measurement: str) -> str:
    return measurement.partition(":")[0]


def _pick(get: Getter, row: Figures | None) -> float | None:
    """Return a figure, or None where nothing was measured."""
    try:
        return None if row is None else get(row)
    except KeyError:
        return None
