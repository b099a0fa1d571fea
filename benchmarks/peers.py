"""The servers side by side: the command that starts each, and how one joins a room and publishes there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import jwt

from benchmarks.generator import Target, upgrade_request
from benchmarks.machine import FOLDER, compile_c, raise_file_limit
from benchmarks.peer import Peer
from benchmarks.servers.naive_fastapi import SECRET
from benchmarks.site import CONNECTIONS_PER_PERSON, UNLIMITED, Board

NGINX_CONNECTIONS: Final = 19_000
"""It takes memory for all of them at its start."""
SPARE_FILES: Final = 100
"""Of those that nginx may open, for other things than connections."""
ORM_PEOPLE: Final = 16
"""People in the ORM's database (`servers/orm_fastapi.py`)."""
ORM_PROJECT: Final = "00000000-0000-4000-8000-000000000001"
JOIN: Final = '{"type":"join_project","project_id":"{room}"}'


class TimeToDo(Peer):
    """Ours; `limited` with the limits it has by default, else with none that keep a thousand from one address away."""

    name = "timetodo"
    label = "Time to DO"

    def __init__(self, board: Board, *, limited: bool = False, **environment: str) -> None:
        self.board = board
        self._environment = environment if limited else UNLIMITED | environment

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        projects = str(folder / "projects")
        return [sys.executable, "-m", "benchmarks.servers.timetodo_server", str(port), str(control_port), projects]

    def environment(self, folder: Path, rooms: int) -> dict[str, str]:
        """Return what it wants from the environment; puts the data into place."""
        shutil.copytree(self.board.data_dir, folder / "data")
        (folder / "projects").write_text("\n".join(self.rooms(rooms)))
        own = {"TIMETODO_DATA_DIR": str(folder / "data"), "TIMETODO_LOG_LEVEL": "WARNING"}
        return self._environment | own

    def rooms(self, count: int) -> list[str]:
        """Return the project ids of so many rooms."""
        return [self.board.crowd] if count == 1 else self.board.small[:count]

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        people = max(1, min(len(self.board.tokens), clients // CONNECTIONS_PER_PERSON))
        options = {
            "control": "line",
            "upgrade": upgrade_request("/api/v1/ws", "Sec-WebSocket-Protocol: timetodo.v1, bearer.{token}"),
            "after": '"type":"welcome"',
            "join": JOIN,
            "ready": '"type":"project_joined"',
            "ping": '{"type":"ping"',
            "pong": '{"type":"pong"}',
        }
        tokens = self.board.tokens[:people] if rooms == 1 else self.board.small_room_tokens(clients)
        return Target(port, control_port, [pid], options, tokens, self.rooms(rooms))


class Naive(Peer):
    """What most people write first."""

    name = "naive"
    label = "naive FastAPI"

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        del folder
        return [sys.executable, "-m", "benchmarks.servers.naive_fastapi", str(port), str(control_port)]

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del rooms
        people = max(1, clients // CONNECTIONS_PER_PERSON)
        options = {
            "control": "line",
            "upgrade": upgrade_request("/ws?token={token}"),
            "after": '"type":"welcome"',
            "join": JOIN,
            "ready": '"type":"project_joined"',
        }
        tokens = [jwt.encode({"sub": f"person-{number}"}, SECRET, "HS256") for number in range(people)]
        return Target(port, control_port, [pid], options, tokens)


class OrmFastApi(Peer):
    """The write path as the tutorials have it; its database is a SQLite file of its own, or the one it is given."""

    name = "orm"
    label = "FastAPI + SQLAlchemy ORM"

    def __init__(self, database_url: str | None = None) -> None:
        self._database_url = database_url

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        url = self._database_url or f"sqlite+aiosqlite:///{folder / 'orm.sqlite3'}"
        return [sys.executable, "-m", "benchmarks.servers.orm_fastapi", str(port), str(control_port), url]

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del clients, rooms
        people = [str(UUID(int=1000 + number)) for number in range(ORM_PEOPLE)]
        return Target(port, control_port, [pid], {}, [jwt.encode({"sub": id_}, SECRET, "HS256") for id_ in people])


class Simple(Peer):
    """A server that lets one join by a path `/r/<room>` and takes lines as events."""

    def __init__(self, name: str, label: str, command: list[str]) -> None:
        self.name, self.label = name, label
        self._command = command

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        del folder
        return [part.format(port=port, control_port=control_port) for part in self._command]

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del clients, rooms
        return Target(port, control_port, [pid], {"control": "line", "upgrade": upgrade_request("/r/{room}")})


class SocketIo(Simple):
    """A server that speaks Engine.IO 4 and Socket.IO 5 over WebSocket."""

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del clients, rooms
        options = {
            "control": "line",
            "upgrade": upgrade_request("/socket.io/?EIO=4&transport=websocket&room={room}"),
            "after": "0{",
            "join": "40",
            "ready": "40{",
            "ping": "2",
            "pong": "3",
        }
        return Target(port, control_port, [pid], options)


class Node(SocketIo):
    """A Node program; its packages are installed when first wanted."""

    folder = FOLDER / "servers" / "node"

    def why_missing(self) -> str | None:
        """Return why it cannot be measured here."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            return "Node is missing; ./dev setup installs it"
        if not (self.folder / "node_modules").is_dir():
            done = subprocess.run(["npm", "ci"], cwd=self.folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return "its packages could not be installed by npm"
        return None


class NodeWs(Node):
    """A Node program that is joined by path."""

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        return Simple.target(self, port, control_port, pid, clients=clients, rooms=rooms)


class Nats(Peer):
    """nats-server, by WebSocket to its readers and by its own protocol to the publisher."""

    name = "nats"
    label = "nats-server"

    def why_missing(self) -> str | None:
        """Return why it cannot be measured here."""
        return None if _find("nats-server") else "nats-server is missing (Debian: apt-get install nats-server)"

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        config = folder / "nats.conf"
        config.write_text(
            f"host: 127.0.0.1\nport: {control_port}\nmax_connections: 100000\n"
            f"websocket {{ host: 127.0.0.1, port: {port}, no_tls: true, compression: false }}\n"
        )
        return [_find("nats-server") or "nats-server", "-c", str(config)]

    def environment(self, folder: Path, rooms: int) -> dict[str, str]:
        """Return what it wants from the environment: as many threads as it has cores."""
        del folder, rooms
        return {"GOMAXPROCS": "1"}

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del clients, rooms
        options = {
            "control": "nats",
            "lines": "1",
            "upgrade": upgrade_request("/"),
            "after": "INFO ",
            "join": 'CONNECT {"verbose":false,"protocol":1}\r\nSUB {room} 1\r\nPING\r\n',
            "ready": "PONG",
            "ping": "PING",
            "pong": "PONG\r\n",
        }
        return Target(port, control_port, [pid], options)


class Nchan(Peer):
    """nginx with nchan: readers and the publisher come by WebSocket."""

    name = "nchan"
    label = "nchan (nginx)"
    modules = ("/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/share/nginx/modules/ngx_nchan_module.so")

    def why_missing(self) -> str | None:
        """Return why it cannot be measured here."""
        if _find("nginx") is None or self._module() is None:
            return "nginx with nchan is missing (Debian: apt-get install nginx libnginx-mod-nchan)"
        return None

    def command(self, port: int, control_port: int, folder: Path) -> list[str]:
        """Return the command that starts it."""
        config = folder / "nginx.conf"
        config.write_text(
            f"load_module {self._module()};\ndaemon off;\nmaster_process off;\nworker_processes 1;\n"
            f"pid {folder}/pid;\nerror_log {folder}/error.log warn;\n"
            f"events {{ worker_connections {min(NGINX_CONNECTIONS, raise_file_limit() - SPARE_FILES)}; }}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
            f"fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
            "nchan_shared_memory_size 256M;\n"
            f"server {{ listen 127.0.0.1:{port} backlog=2048; listen 127.0.0.1:{control_port};\n"
            "location ~ /r/(\\d+)$ { nchan_subscriber websocket; nchan_channel_id $1;\n"
            "  nchan_subscriber_first_message newest; nchan_websocket_ping_interval 25s; }\n"
            "location ~ /publish/(\\d+)$ { nchan_publisher websocket; nchan_channel_id $1;\n"
            "  nchan_message_buffer_length 2000; nchan_message_timeout 60s; }\n} }\n"
        )
        return [_find("nginx") or "nginx", "-p", str(folder), "-c", str(config)]

    def target(self, port: int, control_port: int, pid: int, *, clients: int, rooms: int) -> Target:
        """Return how one speaks to it."""
        del clients, rooms
        return Target(port, control_port, [pid], {"control": "ws", "upgrade": upgrade_request("/r/{room}")})

    def _module(self) -> str | None:
        return next((path for path in self.modules if Path(path).exists()), None)


def all_peers(board: Board) -> list[Peer]:
    """Return every peer, ours first. Those that are not installed say so by `why_missing`."""
    ports = ["{port}", "{control_port}"]
    python = [sys.executable, "-m"]
    return [
        TimeToDo(board),
        Simple("c_joined", "C, all pending frames in one send", [str(compile_c("servers/fanout.c")), *ports, "joined"]),
        Simple("c_single", "C, one frame a send", [str(compile_c("servers/fanout.c")), *ports, "single"]),
        Nats(),
        Nchan(),
        NodeWs("node_ws", "Node ws", ["node", "benchmarks/servers/node/ws_server.js", *ports]),
        Node("node_socketio", "socket.io", ["node", "benchmarks/servers/node/socketio_server.js", *ports]),
        Simple("websockets", "websockets, its broadcast", [*python, "benchmarks.servers.websockets_server", *ports]),
        Naive(),
        SocketIo("py_socketio", "python-socketio", [*python, "benchmarks.servers.socketio_server", *ports]),
    ]


def install_missing() -> None:
    """Install the peers that Debian has, where that is allowed; what cannot be had is reported and left out."""
    wanted = [peer for peer in (Nats(), Nchan()) if peer.why_missing()]
    if not wanted or os.geteuid() != 0 or os.environ.get("TIMETODO_NO_APT") or not shutil.which("apt-get"):
        return
    packages = ["nats-server", "nginx", "libnginx-mod-nchan"]
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], command):
        subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
