"""The machine: which core serves and which one measures, what C is compiled to, and what a report must say about it."""

import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = Path(__file__).resolve().parent
BUILT: Final = ROOT / ".cache" / "benchmarks"
"""Compiled programs; git-ignored."""

_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = _CORES[0]
LOAD_CORE: Final = _CORES[-1]


class MissingToolError(Exception):
    """Something that must be installed first; the message says what."""


def compile_c(source: str) -> Path:
    """Return the program made of a C file (a path below this folder), compiled if it or a header is newer.

    Raises:
        MissingToolError: there is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        message = "a C compiler is missing; please install one (Debian, as root: apt-get install gcc libc6-dev)"
        raise MissingToolError(message)
    file, program = FOLDER / source, BUILT / Path(source).stem
    newest = max(path.stat().st_mtime for folder in ("load", "servers") for path in (FOLDER / folder).glob("*.[ch]"))
    if not program.exists() or program.stat().st_mtime < newest:
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), str(file)], check=True)
    return program


def pinned(command: list[str], core: int) -> list[str]:
    """Return a command that runs on one core alone."""
    return [sys.executable, "-c", _PIN, str(core), *command]


_PIN: Final = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execvp(sys.argv[2], sys.argv[2:])"


def raise_file_limit() -> int:
    """Let this process and its children open as many files as they may at most; return how many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def describe() -> dict[str, Any]:
    """Return what somebody must know to make sense of the figures; nothing that names this machine."""
    return {
        "cpu": _cpu_model(),
        "cores": len(_CORES),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("fastapi", "uvicorn", "websockets", "sqlalchemy", "uvloop")},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cores_shared": len(_CORES) < 2,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
