"""One person of the demo as a client like any other: signs in, calls the REST API, is present on the socket.

A server that is away is waited for; nothing here gives up. Only what the server refuses is told to the caller.
"""

import asyncio
import contextlib
import http.client
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from app.demo.fill import Account

CALL_TIMEOUT_S: Final = 10.0
AWAY_S: Final = 1.0
"""How long to wait before a server that did not answer is asked again."""
_API: Final = "/api/v1"
Json = dict[str, Any]


class RefusedError(Exception):
    """The server understood and said no."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status = status


class AwayError(Exception):
    """There was no answer, or none that is one: the server is starting, stopping or gone."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, for somebody on the same machine."""

    host: str
    port: int

    @classmethod
    def of(cls, host: str, port: int) -> "Address":
        """Return the address to call a server that listens on `host`: "all interfaces" is no place to call."""
        return cls({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104 - not bound, but avoided

    @property
    def socket_url(self) -> str:
        """Where the WebSocket is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{_API}/ws"


class Performer:
    """A signed-in person."""

    def __init__(self, account: Account, address: Address) -> None:
        self.name = account.person.id
        self._account = account
        self._address = address
        self._tokens: Json | None = None
        self._socket: ClientConnection | None = None

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Make an API call and return the answer's JSON. With `key` (an Idempotency-Key) a repeated call acts once.

        Raises:
            RefusedError: the server said no.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        while True:
            try:
                if self._tokens is None:
                    await self._sign_in()
                return await self._send(method, path, body, headers)
            except AwayError:
                await asyncio.sleep(AWAY_S)
            except RefusedError as refusal:
                if refusal.status != HTTPStatus.UNAUTHORIZED or self._tokens is None:
                    raise
                self._tokens = None

    async def stay_online(self, project_id: str) -> None:
        """Be in a project's room, and come back whenever the socket is lost. Never returns by itself."""
        while True:
            with contextlib.suppress(RefusedError, OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                await self.call("GET", "/users/me")  # whoever has an old token gets a new one here
                await self._follow(project_id)
            await asyncio.sleep(AWAY_S)

    async def show(self, type_: str, project_id: str, task_id: str | None) -> None:
        """Let the others see what one does (`typing`, `viewing`); in vain while the socket is away."""
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(_encode({"type": type_, "project_id": project_id, "task_id": task_id}))

    async def _follow(self, project_id: str) -> None:
        token = self._tokens["access_token"] if self._tokens else ""
        protocols = [Subprotocol("timetodo.v1"), Subprotocol(f"bearer.{token}")]
        async with connect(
            self._address.socket_url, subprotocols=protocols, compression=None, ping_interval=None, proxy=None
        ) as socket:
            await socket.send(_encode({"type": "join_project", "project_id": project_id}))
            self._socket = socket
            try:
                async for message in socket:
                    if orjson.loads(message)["type"] == "ping":
                        await socket.send(_encode({"type": "pong"}))
            finally:
                self._socket = None

    async def _sign_in(self) -> None:
        credentials = {"email": self._account.person.email, "password": self._account.password}
        self._tokens = await self._send("POST", "/auth/login", credentials, {})

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        token = {"Authorization": f"Bearer {self._tokens['access_token']}"} if self._tokens else {}
        try:
            status, answer = await asyncio.to_thread(self._exchange, method, path, body, headers | token)
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
            raise AwayError from error
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AwayError
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(status, answer)
        return answer

    def _exchange(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=CALL_TIMEOUT_S)
        try:
            content = None if body is None else orjson.dumps(body)
            connection.request(method, _API + path, content, {"Content-Type": "application/json"} | headers)
            response = connection.getresponse()
            raw = response.read()
            return response.status, orjson.loads(raw) if raw else None
        finally:
            connection.close()


def _encode(message: Json) -> str:
    return orjson.dumps(message).decode()
