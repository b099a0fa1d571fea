"""The report: what was measured, in tables and plots, every figure beside those of its peers in the same run."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import plots, scenarios
from benchmarks.attacks import ATTACKS, Attacker
from benchmarks.goals import CPU, GOALS, OURS, P99, RATE, get
from benchmarks.results import Figures, Getter, Results, Spread
from benchmarks.writing import writing

NOISY: Final = 0.1
"""What others may take of a core before a report warns."""
HEAD: Final = """# Benchmarks

Written by `./dev bench`; not by hand. [How it is measured](../../benchmarks/README.md); every repeat of every peer is
in [results.json](results.json).

Compare figures of this page with each other only. All servers ran on the same core of the same machine, in turns, a
fresh process each time; the load generator had the other core. A figure is the median of the repeats, with the smallest
and the greatest in brackets. A ratio (Time to DO ÷ peer) is the median of the ratios within each repeat.
"""


@dataclass(frozen=True)
class Column:
    """A column of a table: a figure of each peer, and with `ratio` how ours compares to it."""

    title: str
    measurement: str
    figure: Getter
    digits: int = 0
    scale: float = 1
    ratio: bool = False


def write(results: Results, folder: Path) -> None:
    """Write README.md and the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw(results, folder)
    parts = [HEAD, _machine(results), _goals(results)]
    parts += [text for section in SECTIONS if (text := section(results, drawn))]
    parts.append(_missing(results))
    (folder / "README.md").write_text("\n".join(part for part in parts if part))


def _machine(results: Results) -> str:
    machine, plans = results.machine, results.plan.values()
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    quick = "quick run: short phases, few peers" if any(plan["quick"] for plan in plans) else "full run"
    least, most = (pick(plan["repeats"] for plan in plans) for pick in (min, max))
    repeats = f"{least}" if least == most else f"{least} to {most}"
    minutes = sum(plan["minutes"] for plan in plans)
    lines = [
        f"* {quick}, {repeats} repeats, {minutes:.0f} minutes, {machine['date']}",
        f"* {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; Linux {machine['kernel']}",
        f"* Python {machine['python']}; {versions}",
        *_elsewhere(results),
    ]
    other = results.other_cpu_share()
    if other is not None:
        lines.append(f"* what else ran took {other.median * 100:.0f} % of a core (median of all measurements)")
        if other.median > NOISY:
            lines.append("* **that is much: the machine was busy, absolute figures are noise**")
    if machine["cores_shared"]:
        lines.append("* **server and generator had to share one core: absolute figures are too low**")
    return "\n".join(lines) + "\n"


def _elsewhere(results: Results) -> Iterator[str]:
    """Say which scenarios were measured on another processor or another day than the last."""
    here = f"{results.machine['cpu']}, {results.machine['date']}"
    scenarios: defaultdict[str, list[str]] = defaultdict(list)
    for scenario, plan in results.plan.items():
        scenarios[plan["where"]].append(scenario)
    for where, names in scenarios.items():
        if where != here:
            yield f"* measured elsewhere or earlier ({where}): {', '.join(names)}"


def _goals(results: Results) -> str:
    rows = []
    for goal in GOALS:
        found = goal.measure(results)
        if found is None:
            rows.append([goal.what, goal.text, "not measured", "–"])
        else:
            reached = "yes" if goal.is_reached(found) else "**no**"
            rows.append([goal.what, goal.text, f"{_spread(found, None)} {goal.unit}".strip(), reached])
    return "## Goals\n\n" + _table(["what", "goal", "measured", "reached"], rows)


def _fanout(results: Results, drawn: set[str]) -> str:
    saturated = [
        Column(f"{count} in flight, k/s", f"fanout:w{count}", RATE, 1, 1e-3, ratio=True) for count in (1, 4, 8, 32)
    ]
    paced = [Column(f"{rate} events/s: p99 ms", f"fanout:r{rate}", P99, 1, ratio=True) for rate in (20, 200, 500)]
    cpu = [
        Column("server's CPU µs per delivery, 20 events/s", "fanout:r20", CPU, 2, ratio=True),
        Column("32 in flight", "fanout:w32", CPU, 2, ratio=True),
        Column("server's share of its core, 32 in flight, %", "fanout:w32", get("server_cpu_share"), 0, 100),
        Column("generator's share of its own, %", "fanout:w32", get("own_cpu_share"), 0, 100),
    ]
    return _section(
        "Fan-out",
        scenarios.fanout.__doc__,
        _image(drawn, "saturation", "deliveries a second with 32 events in flight"),
        _image(drawn, "in-flight", "deliveries a second by the number of events in flight"),
        _peer_table(results, "Deliveries a second", saturated),
        "A generator near 100 % was the limit, not the server; what it can take is the figure of the C server.\n",
        _image(drawn, "latency", "latency at a steady pace"),
        _peer_table(results, "From publishing to each screen", paced),
        "A peer that cannot keep the pace has a queue that grows: its p99 says how long it was let, and is marked ∞ "
        "when the queue had not drained at the end.\n",
        _image(drawn, "cpu", "the server's CPU time per delivery"),
        _peer_table(results, "CPU", cpu),
    )


def _rooms(results: Results, _: set[str]) -> str:
    columns = [
        Column("32 in flight, k/s", "rooms:w32", RATE, 1, 1e-3, ratio=True),
        Column("1,000 events/s: p99 ms", "rooms:r1000", P99, 1, ratio=True),
        Column("CPU µs per delivery", "rooms:r1000", CPU, 1, ratio=True),
    ]
    return _section("Small rooms", scenarios.small_rooms.__doc__, _peer_table(results, "", columns))


def _idle(results: Results, drawn: set[str]) -> str:
    columns = [
        Column("KiB a connection", "idle", get("kib_each"), 1, ratio=True),
        Column("accepted and joined a second", "idle", get("accepted_per_s"), 0, ratio=True),
    ]
    image = _image(drawn, "memory", "memory of an idle connection")
    note = (
        "Only Time to DO and naive FastAPI check a token and a join message; only Time to DO asks a database whether "
        "one may join, and tells the room who has come.\n"
    )
    table = _peer_table(results, "", columns)
    return _section("Connections", scenarios.idle.__doc__, image, table, note) if table else ""


def _ours(results: Results, _: set[str]) -> str:
    rows: list[list[str]] = []

    def add(what: str, measurement: str, figure: Getter, digits: int = 1) -> None:
        found = results.spread(measurement, OURS, figure)
        if found is not None:
            rows.append([what, _spread(found, digits)])

    add("REST alone: p50 ms", "rest:alone", get("http", "p50_ms"))
    add("REST alone: p99 ms", "rest:alone", get("http", "p99_ms"))
    add("REST beside 100 events/s × 1,000: p50 ms", "rest:storm", get("http", "p50_ms"))
    add("REST beside 100 events/s × 1,000: p99 ms", "rest:storm", get("http", "p99_ms"))
    add("the storm's own p99 meanwhile, ms", "rest:storm", P99)
    add("100 POST/s → each of 1,000 screens: p99 ms", "post", P99)
    add("100 POST/s → last of 1,000 screens: p50 ms", "post", get("last_delivery", "p50_ms"))
    add("100 POST/s → last of 1,000 screens: p99 ms", "post", get("last_delivery", "p99_ms"))
    add("1,000 clients resume 100 events at once: s until the last has all", "resume", get("until_s"), 2)
    add("reads of the log for that", "resume", get("log_reads"), 0)
    add("20 that do not read while 7 MB pass: server grows by KiB", "slow:twenty", get("grown_kib"), 0)
    add("the same load without them: KiB", "slow:none", get("grown_kib"), 0)
    add("the others' p99 with them, ms", "slow:twenty", P99)
    add("the others' p99 without them, ms", "slow:none", P99)
    if not rows:
        return ""
    return _section("The whole product under load", None, _table(["what", "measured"], rows))


def _memory(results: Results, drawn: set[str]) -> str:
    lines = [_storms_text(row["after_kib"]) for row in results.rows("storms", OURS)]
    lines += [_soak_text(row) for row in results.rows("soak", OURS)]
    image = _image(drawn, "soak", "memory during the soak")
    return _section("Memory and time", scenarios.soak.__doc__, image, "\n".join(lines) + "\n") if lines else ""


def _storms_text(after_kib: list[float]) -> str:
    return f"* after each storm, everybody gone: {', '.join(f'{kib / 1024:.1f}' for kib in after_kib)} MiB"


def _soak_text(row: Figures) -> str:
    return (
        f"* soak of {row['seconds']:.0f} s: {row['deliveries']:,} deliveries, {row['churned']} returns, "
        f"{row['http_done']} requests; lost {row['lost']}, doubled {row['repeated']}; p99 "
        f"{row['delivery']['p99_ms']:.1f} ms; memory {row['kib_per_minute']:+.0f} KiB a minute"
    )


def _writing(results: Results, _: set[str]) -> str:
    columns = []
    for name, title in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")):
        columns.append(Column(f"{title}: tasks a second", f"write:{name}", get("http_per_s"), 0, ratio=True))
        columns.append(Column("CPU µs each", f"write:{name}", get("cpu_us_per_request"), 0, ratio=True))
        columns.append(Column("p99 ms", f"write:{name}", get("http", "p99_ms"), 0))
    return _section("Writing", writing.__doc__, _peer_table(results, "", columns))


def _attacks(results: Results, drawn: set[str]) -> str:
    rows = []
    for name in ("nothing", *ATTACKS):
        row = [_attack_text(name)]
        for peer in results.peers(f"attack:{name}"):
            found = results.spread(f"attack:{name}", peer, get("victim_p95_ms"))
            grown = results.spread(f"attack:{name}", peer, get("grown_kib"))
            cut = any(one["is_cut_off"] or "delivery" not in one for one in results.rows(f"attack:{name}", peer))
            row += ["cut off" if cut else _spread(found, 1), _spread(grown, 0)]
        rows.append(row)
    peers = results.peers("attack:nothing")
    head = ["attack"] + [
        title for peer in peers for title in (f"{results.labels[peer]}: p95 ms", "its memory grows by KiB")
    ]
    image = _image(drawn, "attacks", "what others feel while one client attacks")
    return _section("Attacks", scenarios.attacks.__doc__, image, _table(head, rows)) if peers else ""


SECTIONS: Final[tuple[Callable[[Results, set[str]], str], ...]] = (
    _fanout,
    _rooms,
    _idle,
    _ours,
    _writing,
    _memory,
    _attacks,
)


def _missing(results: Results) -> str:
    if not results.missing:
        return ""
    lines = [f"* {what}: not measured: {why.splitlines()[0]}" for what, why in results.missing.items()]
    return "## Not measured\n\n" + "\n".join(lines) + "\n"


def _attack_text(name: str) -> str:
    if name == "nothing":
        return "no attack"
    text = getattr(Attacker, name).__doc__ or name
    return f"{name}: {text[0].lower()}{text[1:].rstrip('.')}"


def _section(title: str, intro: str | None, *parts: str) -> str:
    body = "\n".join(part for part in parts if part)
    return f"## {title}\n\n{intro.strip() + chr(10) + chr(10) if intro else ''}{body}" if body else ""


def _peer_table(results: Results, title: str, columns: list[Column]) -> str:
    """Return a table of one row a peer; columns and peers without a figure are left out."""
    shown = [column for column in columns if results.peers(column.measurement)]
    names = [peer for peer in results.labels if any(peer in results.peers(column.measurement) for column in shown)]
    head = ["server"]
    for column in shown:
        head += [column.title, "ours ÷ it"] if column.ratio else [column.title]
    rows = []
    for peer in names:
        row = [f"**{results.labels[peer]}**" if peer == OURS else results.labels[peer]]
        for column in shown:
            row += _cells(results, peer, column)
        rows.append(row)
    return (f"### {title}\n\n" if title else "") + _table(head, rows) if rows else ""


def _cells(results: Results, peer: str, column: Column) -> list[str]:
    found = results.spread(column.measurement, peer, lambda row: column.figure(row) * column.scale)
    text = _spread(found, column.digits)
    if found is not None and any(row["overloaded"] for row in results.rows(column.measurement, peer)):
        text += " ∞"
    if not column.ratio:
        return [text]
    return [text, "1" if peer == OURS else _spread(results.ratio(column.measurement, OURS, peer, column.figure), None)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _image(drawn: set[str], name: str, text: str) -> str:
    return f"![{text}]({name}.svg)\n" if name in drawn else ""


def _spread(found: Spread | None, digits: int | None) -> str:
    """Return a median with its spread; without `digits`, with three that count."""
    if found is None:
        return "–"
    median, low, high = (_number(value, digits) for value in (found.median, found.low, found.high))
    return median if low == high else f"{median} ({low}–{high})"


def _number(value: float, digits: int | None) -> str:
    if digits is not None:
        return f"{value:,.{digits}f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
