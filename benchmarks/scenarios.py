"""What is measured. Each function is one scenario: it runs every peer it concerns once per repeat, one after the other,
so that what else the machine does meanwhile meets all of them alike.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import generator
from benchmarks.attacks import ATTACKS
from benchmarks.generator import Figures, Load, LoadError, Target, http_request
from benchmarks.machine import LOAD_CORE, MissingToolError, pinned
from benchmarks.peer import Peer
from benchmarks.peers import JOIN, TimeToDo
from benchmarks.results import Results
from benchmarks.site import RESUMED, Board

CLIENTS: Final = 1000
QUICK_PEERS: Final = ("timetodo", "c_joined", "c_single", "nats", "nchan", "node_socketio", "naive")
ROOM_PEERS: Final = ("timetodo", "naive", "c_joined", "c_single")
SLOW_BYTES: Final = 7_000_000
"""What passes by those who do not read."""


@dataclass(frozen=True)
class Plan:
    """How much is measured: all of it, or what fits into five minutes."""

    repeats: int
    is_quick: bool

    def choose(self, full: Any, quick: Any) -> Any:
        """Return what this plan wants of the two."""
        return quick if self.is_quick else full


class Bench:
    """The peers, the plan, and the results as they come."""

    def __init__(self, board: Board, peers: list[Peer], plan: Plan, results: Results) -> None:
        self.board = board
        self.peers = peers
        self.plan = plan
        self.results = results
        self.ours = TimeToDo(board)

    def named(self, *names: str) -> list[Peer]:
        """Return the peers of these names that are there."""
        return [peer for peer in self.peers if peer.name in names]

    def interleave(self, peers: Iterable[Peer], *, quickly: bool = False) -> Iterator[tuple[int, Peer]]:
        """Yield every peer once per repeat, in turn, each time beginning with another one.

        What is `quickly` enough has one repeat in a quick run.
        """
        order = list(peers)
        for repeat in range(1 if quickly and self.plan.is_quick else self.plan.repeats):
            shift = repeat % max(1, len(order))
            for peer in order[shift:] + order[:shift]:
                yield repeat, peer

    @contextmanager
    def attempt(self, scenario: str, peer: Peer, repeat: int) -> Iterator[None]:
        """Note what went wrong in one repeat, and go on with the next."""
        begun = time.monotonic()
        try:
            yield
        except (LoadError, MissingToolError, OSError) as error:
            self.results.missing[f"{peer.label} in {scenario}"] = str(error)[:300]
            say(f"  {peer.label}: {error}")
        else:
            say(f"  {scenario}, repeat {repeat + 1}: {peer.label} ({time.monotonic() - begun:.1f} s)")


def fanout(bench: Bench) -> None:
    """1,000 clients in one room: 1, 4, 8 and 32 events in flight, then 20, 200 and 500 a second."""
    full = "w1:1.5,w4:1,w8:1,w32:1.5,r20:3,r200:3,r500:2"
    phases = bench.plan.choose(full, "w1:0.5,w32:0.5,r20:1,r200:1")
    peers = bench.named(*QUICK_PEERS) if bench.plan.is_quick else bench.peers
    for repeat, peer in bench.interleave(peers):
        with bench.attempt("fanout", peer, repeat), peer.running(clients=CLIENTS) as target:
            options = {
                "clients": CLIENTS,
                "phases": phases,
                "settle": 0.2,
                "warm": 0.3,
                "drain": bench.plan.choose(4, 2),
            }
            _record_phases(bench, "fanout", peer, repeat, generator.run(target, **options))


def small_rooms(bench: Bench) -> None:
    """50 rooms of 20: 32 events in flight, then 1,000 events a second over all rooms."""
    phases = bench.plan.choose("w32:3,r1000:4", "w32:0.6,r1000:1")
    for repeat, peer in bench.interleave(bench.named(*bench.plan.choose(ROOM_PEERS, ROOM_PEERS[:2])), quickly=True):
        with bench.attempt("rooms", peer, repeat), peer.running(clients=CLIENTS, rooms=50) as target:
            found = generator.run(target, clients=CLIENTS, rooms=50, phases=phases, warm=0.4, drain=5)
            _record_phases(bench, "rooms", peer, repeat, found)


def idle(bench: Bench) -> None:
    """Many connections that joined a room and hear nothing: how quickly they came, what each weighs."""
    clients = bench.plan.choose(5000, 2000)
    peers = bench.named("timetodo", "naive") if bench.plan.is_quick else bench.peers
    for repeat, peer in bench.interleave(peers, quickly=True):
        with bench.attempt("idle", peer, repeat), peer.running(clients=clients) as target:
            generator.run(target, clients=100, settle=0.2, seconds=0.2)  # what is loaded once is not counted
            found = generator.run(target, clients=clients, settle=bench.plan.choose(3, 1), seconds=0.2, timeout=120)[0]
            found["kib_each"] = (found["rss_ready_kib"] - found["rss_before_kib"]) / clients
            found["accepted_per_s"] = clients / found["connect_s"]
            bench.results.record("idle", peer.name, repeat, tidy(found))


def rest(bench: Bench) -> None:
    """Reading and creating tasks 40 times a second, alone and beside 100 events a second for 1,000 clients."""
    seconds = bench.plan.choose(10, 3)
    board = bench.board
    for repeat, peer in bench.interleave([bench.ours], quickly=True):
        with bench.attempt("rest", peer, repeat), peer.running(clients=CLIENTS) as target:
            for name, rate in (("alone", 0), ("storm", 100)):
                requests = _reads_and_writes(board, board.side)
                options = {"clients": CLIENTS, "rate": rate, "seconds": seconds, "http_clients": 8, "http_rate": 40}
                found = generator.run(target, http=requests, warm=0.5, **options)[0]
                bench.results.record(f"rest:{name}", peer.name, repeat, tidy(found))


def post_to_screens(bench: Bench) -> None:
    """100 tasks a second created over REST, until the last of 1,000 screens has each."""
    for repeat, peer in bench.interleave([bench.ours], quickly=True):
        with bench.attempt("post", peer, repeat), peer.running(clients=CLIENTS) as target:
            requests = [_create(bench.board, bench.board.crowd, person) for person in range(16)]
            options = {"control": "http", "mark": '"title":"post-', "http_clients": 16, "http_rate": 100}
            seconds = bench.plan.choose(8, 3)
            found = generator.run(target, clients=CLIENTS, seconds=seconds, warm=1, http=requests, **options)[0]
            bench.results.record("post", peer.name, repeat, tidy(found))


def resume(bench: Bench) -> None:
    """1,000 clients come back at once to a server that has just started, each 100 events behind."""
    board = bench.board
    since = f'"since":{{"epoch":"{board.epoch}","seq":{board.seq - RESUMED}}}'
    join = JOIN.removesuffix("}") + f",{since}}}"
    for repeat, peer in bench.interleave([bench.ours], quickly=True):
        with bench.attempt("resume", peer, repeat), peer.running(clients=CLIENTS) as target:
            options = {"since": board.seq - RESUMED, "until": board.seq, "pending": CLIENTS, "join": join}
            found = generator.run(target, clients=CLIENTS, seconds=0.2, **options)[0]
            found["log_reads"] = _ask_log_reads(target)
            bench.results.record("resume", peer.name, repeat, tidy(found))


def slow_readers(bench: Bench) -> None:
    """7 MB pass by 20 connections that read nothing: what the server keeps for them, what the others feel."""
    rate = bench.plan.choose(2000, 5000)
    seconds = SLOW_BYTES / generator.EVENT_BYTES / rate
    for repeat, peer in bench.interleave([bench.ours], quickly=True):
        for name, slow in (("none", 0), ("twenty", 20)):
            with bench.attempt("slow", peer, repeat), peer.running(clients=CLIENTS) as target:
                found = generator.run(target, clients=100, slow=slow, rate=rate, seconds=seconds, settle=1)[0]
                found["grown_kib"] = max(kib for _, kib in found["rss"]) - found["rss_ready_kib"]
                bench.results.record(f"slow:{name}", peer.name, repeat, tidy(found))


def storms(bench: Bench) -> None:
    """Connect, flood, disconnect, again and again: the memory after half of the times and after all.

    What is kept within bounds (tails, statements, ids) fills up during the first ones.
    """
    for repeat, peer in bench.interleave([bench.ours], quickly=True):
        with bench.attempt("storms", peer, repeat), peer.running(clients=CLIENTS) as target:
            after = []
            for _ in range(bench.plan.choose(16, 4)):
                generator.run(target, clients=CLIENTS, phases="w32:1", settle=0.2)
                after.append(_rss_kib(target))
            figures = {"after_kib": after, "change": after[-1] / after[len(after) // 2 - 1] - 1}
            bench.results.record("storms", peer.name, repeat, figures)


def soak(bench: Bench) -> None:
    """500 clients, 50 events and 10 requests a second, five clients a second that leave and resume: for minutes."""
    board, peer = bench.board, bench.ours
    rejoin = JOIN.removesuffix("}") + f',"since":{{"epoch":"{board.epoch}","seq":{{seq}}}}}}'
    with bench.attempt("soak", peer, 0), peer.running(clients=500) as target:
        options = {"rate": 50, "churn": 5, "rejoin": rejoin, "http_clients": 8, "http_rate": 10}
        seconds = bench.plan.choose(300, 15)
        requests = _reads_and_writes(board, board.side)
        found = generator.run(target, clients=500, seconds=seconds, warm=2, http=requests, **options)[0]
        found["kib_per_minute"] = _slope(found["rss"][len(found["rss"]) // 3 :]) * 60
        found["samples"] = found["rss"][::5]
        bench.results.record("soak", peer.name, 0, tidy(found))


def attacks(bench: Bench) -> None:
    """One client at a time misbehaves as well as it can; what a well-behaved one beside it feels."""
    ours = TimeToDo(bench.board, limited=True)
    peers = [ours] if bench.plan.is_quick else [ours, *bench.named("naive")]
    seconds = bench.plan.choose(6, 1)
    for repeat, peer in bench.interleave(peers, quickly=True):
        for name in ("nothing", *ATTACKS):
            with bench.attempt(f"attack:{name}", peer, repeat), peer.running(clients=20) as target:
                found = _attacked(peer, target, name, seconds)
                bench.results.record(f"attack:{name}", peer.name, repeat, tidy(found))


def _attacked(peer: Peer, target: Target, attack: str, seconds: float) -> Figures:
    """Return what a victim measured while an attack ran."""
    options: dict[str, Any] = {"rate": 20, "warm": 0.5, "seconds": seconds, "settle": 0.2, "drain": 5}
    if isinstance(peer, TimeToDo):
        options |= {"probe": '{"type":"ping"}', "probed": '"type":"pong"', "probe_rate": 10}
    load = Load(target, clients=5, **options)
    load.wait_until_ready()
    attacker = None
    if attack != "nothing":
        request = target.options["upgrade"].replace("{token}", target.tokens[0]).split("\r\n")
        headers = [line for line in request if line.startswith("Sec-WebSocket-Protocol")]
        command = [
            sys.executable,
            "-m",
            "benchmarks.attacks",
            attack,
            str(target.port),
            request[0].split()[1],
            *headers,
        ]
        attacker = subprocess.Popen(pinned(command, LOAD_CORE))
    try:
        found = load.finish()[0]
    finally:
        if attacker is not None:
            attacker.kill()
            attacker.wait()
    found["grown_kib"] = max(kib for _, kib in found["rss"]) - found["rss_ready_kib"]
    waits = [found["delivery"]] + ([found["probe"]] if found["probe"]["count"] else [])
    found["victim_p95_ms"] = max(wait["p95_ms"] for wait in waits)
    found["is_cut_off"] = bool(found["lost_clients"] or found["lost"])
    if not found["delivery"]["count"]:
        found["victim_p95_ms"] = 1000 * seconds  # at least: it heard nothing at all
    return found


def _record_phases(bench: Bench, scenario: str, peer: Peer, repeat: int, phases: list[Figures]) -> None:
    for found in phases:
        name = f"w{found['window']}" if found["window"] else f"r{found['rate']:.0f}"
        bench.results.record(f"{scenario}:{name}", peer.name, repeat, tidy(found))


def tidy(figures: Figures) -> Figures:
    """Leave out what no report needs: a memory sample every 0.2 s, and times of what never happened."""
    return {
        name: value
        for name, value in figures.items()
        if name != "rss" and not (isinstance(value, dict) and not value["count"])
    }


def _create(board: Board, project_id: str, person: int) -> str:
    body = f'{{"project_id":"{project_id}","title":"post-@@@@@@@@@@"}}'
    return http_request("POST", "/api/v1/tasks", board.tokens[person], body)


def _reads_and_writes(board: Board, project_id: str) -> list[str]:
    """Return requests of eight people in turn, every other one a new task."""
    path = f"/api/v1/projects/{project_id}/tasks?limit=50"
    found = []
    for person in range(8):
        found.append(http_request("GET", path, board.tokens[person]))
        found.append(_create(board, project_id, person))
    return found


def _ask_log_reads(target: Target) -> int:
    with socket.create_connection(("127.0.0.1", target.control_port)) as connection:
        connection.sendall(b"reads\n")
        return int(connection.recv(100))


def _rss_kib(target: Target) -> float:
    """Return the server's memory a second after everybody has gone."""
    time.sleep(1)
    return float(generator.run(target, clients=0, seconds=0, settle=0)[0]["rss_end_kib"])


def _slope(samples: list[list[float]]) -> float:
    """Return the slope of the straight line that fits best, per second."""
    count = len(samples)
    mean_x, mean_y = (sum(sample[axis] for sample in samples) / count for axis in (0, 1))
    below = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / below if below else 0.0


def say(text: str) -> None:
    """Tell who waits how far it is."""
    print(text, file=sys.stderr, flush=True)


Scenario = Callable[[Bench], None]
SCENARIOS: Final[dict[str, Scenario]] = {
    "fanout": fanout,
    "rooms": small_rooms,
    "idle": idle,
    "rest": rest,
    "post": post_to_screens,
    "resume": resume,
    "slow": slow_readers,
    "storms": storms,
    "attack": attacks,
    "soak": soak,
}
