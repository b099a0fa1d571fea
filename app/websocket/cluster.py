"""The numbers of all servers together: each tells its own every few seconds, and each adds up what it hears.

Nothing is stored. A server that falls silent takes its numbers with it. Whether others can be heard at all is known by
this server's own numbers, which come back by the same way: without them the sum is unknown, not small.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from app.broker.base import Signal, SignalType

TELL_S: Final = 2.0
"""How often a server tells its numbers."""
SILENT_TURNS: Final = 5
"""Turns without a word after which a server, or the broker, counts as gone."""
SETTLE_TURNS: Final = 2
"""Turns in which every server has told its numbers, once the broker is heard (again)."""

Numbers = dict[str, Any]


class ClusterStats:
    """Tells this server's numbers and knows those of the others.

    `read_own` gives the numbers of `ConnectionManager.get_stats`; `tell` sends a signal to every server, this one
    included, and is None where there are no others.
    """

    def __init__(
        self,
        server_id: str,
        read_own: Callable[[], Numbers],
        tell: Callable[[Signal], None] | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server_id = server_id
        self._read_own = read_own
        self._tell = tell
        self._clock = clock
        self._others: dict[str, tuple[float, Numbers]] = {}
        """When each was heard of last, and its numbers."""
        self._echo_at: float | None = None
        """When this server heard itself last."""
        self._echo_since = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        if self._tell is not None:
            self._task = asyncio.create_task(self._tell_for_ever(self._tell), name="cluster-stats")

    async def stop(self) -> None:
        """Stop telling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def on_signal(self, origin: str, numbers: Numbers) -> None:
        """Take what a server, or this one, tells."""
        if origin != self._server_id:
            self._others[origin] = self._clock(), numbers
            return
        if not self._hears_itself():
            self._echo_since = self._clock()
        self._echo_at = self._clock()

    def total(self) -> Numbers | None:
        """Return the numbers of all servers added up, and `servers`, how many; None while they cannot be known.

        This server's own are those of this moment, the others' up to `TELL_S` old.
        """
        own = self._read_own()
        del own["uptime_s"]  # times of different servers do not add up
        if self._tell is None:
            return {"servers": 1} | own
        if not self._hears_itself() or self._clock() - self._echo_since < SETTLE_TURNS * TELL_S:
            return None
        others = self._living()
        sums = {name: value + sum(told.get(name, 0) for told in others) for name, value in own.items()}
        return {"servers": 1 + len(others)} | sums

    def _hears_itself(self) -> bool:
        return self._echo_at is not None and not self._is_silent(self._echo_at)

    def _living(self) -> list[Numbers]:
        """Forget the servers that fell silent; return the numbers of the rest."""
        self._others = {id_: told for id_, told in self._others.items() if not self._is_silent(told[0])}
        return [numbers for _, numbers in self._others.values()]

    def _is_silent(self, heard_at: float) -> bool:
        return self._clock() - heard_at > SILENT_TURNS * TELL_S

    async def _tell_for_ever(self, tell: Callable[[Signal], None]) -> None:
        while True:
            tell(Signal(SignalType.STATS, self._server_id, None, self._read_own()))
            await asyncio.sleep(TELL_S)
