"""The plots of the report, as SVG with a background of their own, so that they are read on a dark page too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.attacks import ATTACKS
from benchmarks.goals import CPU, OURS, RATE, get
from benchmarks.results import Getter, Results, Spread

INK: Final = "#1f2933"
PAPER: Final = "#fbfaf7"
ACCENT: Final = "#c2410c"
QUIET: Final = "#8a94a3"
GRID: Final = "#e3e0d8"
ATTACK_GOAL_MS: Final = 800
CROWDED: Final = 100
"""From this ratio of its ends on a logarithmic axis has numbers at powers of ten alone."""
LABEL_STEP: Final = 1.32
"""The least ratio between two heights at which labels are written, on a logarithmic axis of three decades."""
STYLE: Final = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "timetodo",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(results: Results, folder: Path) -> set[str]:
    """Draw what there are figures for; return the names of the plots."""
    drawn = set()
    with mpl.rc_context(STYLE):
        for name, plot in PLOTS.items():
            figure = plot(results)
            if figure is not None:
                figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
                plt.close(figure)
                drawn.add(name)
    return drawn


def _saturation(results: Results) -> Any:
    title = "Deliveries a second, 1,000 clients in one room, 32 events in flight (thousands, log scale)"
    return _bars(results, "fanout:w32", lambda row: RATE(row) / 1000, title, log=True)


def _cpu(results: Results) -> Any:
    title = "Server's CPU per delivery at 20 events a second × 1,000 clients (µs)"
    return _bars(results, "fanout:r20", CPU, title)


def _memory(results: Results) -> Any:
    return _bars(results, "idle", get("kib_each"), "Server's memory per idle connection in a room (KiB)")


def _bars(results: Results, measurement: str, figure: Getter, title: str, *, log: bool = False) -> Any:
    """Return one bar a peer, the best on top, with the spread of the repeats."""
    found = {
        results.labels[peer]: spread
        for peer in results.peers(measurement)
        if (spread := results.spread(measurement, peer, figure)) is not None
    }
    if not found:
        return None
    order = sorted(found, key=lambda name: found[name].median, reverse=not log)
    canvas, axes = plt.subplots(figsize=(8, 0.6 + 0.34 * len(order)))
    _draw_bars(axes, order, [found[name] for name in order], results.labels[OURS])
    if log:
        _use_log(axes.xaxis)
    axes.set_title(title)
    return canvas


def _use_log(axis: Any) -> None:
    """Make an axis logarithmic, with plain numbers on it."""
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > low * CROWDED else (1, 2, 5), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def _draw_bars(axes: Any, names: list[str], spreads: list[Spread], ours: str | None) -> None:
    medians = [spread.median for spread in spreads]
    reach = [
        [max(0, spread.median - spread.low) for spread in spreads],
        [max(0, spread.high - spread.median) for spread in spreads],
    ]
    colours = [ACCENT if ours in {name, None} else QUIET for name in names]
    axes.barh(names, medians, xerr=reach, color=colours, height=0.65, error_kw={"ecolor": INK, "elinewidth": 0.8})
    for place, spread in enumerate(spreads):
        axes.annotate(
            f"{spread.median:,.3g}" if spread.median < 1000 else f"{spread.median:,.0f}",
            (spread.high, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.grid(axis="x")
    axes.margins(x=0.12)
    axes.tick_params(length=0)


def _in_flight(results: Results) -> Any:
    counts = [count for count in (1, 4, 8, 32) if results.peers(f"fanout:w{count}")]
    if len(counts) < 2:
        return None
    canvas, axes = plt.subplots(figsize=(8, 4.5))
    ends: list[tuple[str, tuple[float, float]]] = []
    for peer in results.peers(f"fanout:w{counts[-1]}"):
        points = [(count, results.spread(f"fanout:w{count}", peer, RATE)) for count in counts]
        known = [(count, spread.median / 1000) for count, spread in points if spread is not None]
        style = {"color": ACCENT, "linewidth": 2.4} if peer == OURS else {"color": QUIET, "linewidth": 1.2}
        axes.plot([x for x, _ in known], [y for _, y in known], marker="o", markersize=4, **style)
        ends.append((peer, known[-1]))
    _label_ends(axes, results, ends)
    axes.set_xscale("log", base=2)
    _use_log(axes.yaxis)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.grid()
    axes.set_xlabel("events in flight")
    axes.set_title("Deliveries a second by events in flight (thousands, log scale)")
    return canvas


def _label_ends(axes: Any, results: Results, ends: list[tuple[str, tuple[float, float]]]) -> None:
    """Write names at the ends of lines, moved apart where lines end at the same height (which is logarithmic)."""
    height = 0.0
    for peer, (x, y) in sorted(ends, key=lambda end: end[1][1]):
        height = max(y, height * LABEL_STEP)
        colour = ACCENT if peer == OURS else INK
        axes.annotate(
            results.labels[peer],
            (x, y),
            xytext=(x * 1.25, height),
            va="center",
            fontsize=9,
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRID, "shrinkA": 0},
        )


def _latency(results: Results) -> Any:
    rates = [rate for rate in (20, 200, 500) if results.peers(f"fanout:r{rate}")]
    if not rates:
        return None
    peers = [peer for peer in results.labels if any(peer in results.peers(f"fanout:r{rate}") for rate in rates)][::-1]
    canvas, all_axes = plt.subplots(1, len(rates), figsize=(9, 0.8 + 0.32 * len(peers)), sharey=True, squeeze=False)
    for axes, rate in zip(all_axes[0], rates, strict=True):
        for place, peer in enumerate(peers):
            _draw_span(axes, place, results, f"fanout:r{rate}", peer)
        _use_log(axes.xaxis)
        axes.set_title(f"{rate} events/s")
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.set_yticks(range(len(peers)), [results.labels[peer] for peer in peers])
        axes.set_xlabel("ms: p50 ● to p99 ▏")
    return canvas


def _draw_span(axes: Any, place: int, results: Results, measurement: str, peer: str) -> None:
    median, late = (results.spread(measurement, peer, get("delivery", name)) for name in ("p50_ms", "p99_ms"))
    if median is None or late is None or late.median <= 0:
        return
    colour = ACCENT if peer == OURS else QUIET
    axes.plot([median.median, late.median], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot([median.median], [place], "o", color=colour, markersize=5)
    axes.plot([late.median], [place], "|", color=INK, markersize=9)


def _attacks(results: Results) -> Any:
    names = [name for name in ("nothing", *ATTACKS) if OURS in results.peers(f"attack:{name}")][::-1]
    if not names:
        return None
    canvas, axes = plt.subplots(figsize=(8, 0.8 + 0.34 * len(names)))
    spreads = [results.spread(f"attack:{name}", OURS, get("victim_p95_ms")) for name in names]
    shown = [(name.replace("_", " "), spread) for name, spread in zip(names, spreads, strict=True) if spread]
    _draw_bars(axes, [name for name, _ in shown], [spread for _, spread in shown], None)
    axes.axvline(ATTACK_GOAL_MS, color=ACCENT, linestyle="--", linewidth=1)
    _use_log(axes.xaxis)
    axes.set_title(f"p95 of what a victim waits while one client attacks (ms, log scale; goal {ATTACK_GOAL_MS})")
    return canvas


def _soak(results: Results) -> Any:
    rows = results.rows("soak", OURS)
    if not rows:
        return None
    canvas, axes = plt.subplots(figsize=(8, 2.6))
    samples = rows[0]["samples"]
    axes.plot([second for second, _ in samples], [kib / 1024 for _, kib in samples], color=ACCENT)
    axes.set_ylim(bottom=0)
    axes.grid()
    axes.set_xlabel("seconds")
    axes.set_title("Server's memory during the soak (MiB)")
    return canvas


PLOTS: Final[dict[str, Callable[[Results], Any]]] = {
    "saturation": _saturation,
    "in-flight": _in_flight,
    "latency": _latency,
    "cpu": _cpu,
    "memory": _memory,
    "attacks": _attacks,
    "soak": _soak,
}
