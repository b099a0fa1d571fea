"""The opening handshake as bytes, for the quick way in: what a client asks, and what it is answered (RFC 6455, 4.2)."""

import base64
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from websockets.utils import accept_key

from app.websocket.door import Handshake, Refusal

PATH: Final = "/api/v1/ws"
KEY_BYTES: Final = 16


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Return method, target and headers of a request that a HTTP parser has accepted and written out again."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    method, target, _ = first.split(" ")
    return method, target, headers


def to_handshake(target: str, headers: dict[str, str], network: str) -> Handshake:
    """Return what the door wants to know of a request."""
    protocols = headers.get("sec-websocket-protocol", "")
    names = [name.strip() for name in protocols.split(",")] if protocols else []
    asked = target.partition("?")[2]
    query = dict(parse_qsl(asked, keep_blank_values=True)) if asked else {}
    return Handshake(network, headers.get("origin"), names, query)


def check_upgrade(method: str, target: str, headers: dict[str, str]) -> Refusal | None:
    """Return why a request is no opening handshake for our socket (RFC 6455, 4.2.1)."""
    if target.partition("?")[0] != PATH:
        return Refusal(404, "not_found", f"there is no socket here; it is at {PATH}")
    if method != "GET":
        return Refusal(405, "bad_request", "a WebSocket begins with GET")
    if headers.get("sec-websocket-version") != "13":
        return Refusal(426, "bad_request", "Sec-WebSocket-Version must be 13")
    if not _is_key(headers.get("sec-websocket-key", "")):
        return Refusal(400, "bad_request", "Sec-WebSocket-Key must be 16 bytes in base64")
    return None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def accept(key: str, subprotocol: str | None) -> bytes:
    """Return the answer that opens the socket."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "\r\n"]).encode()


def refuse(refusal: Refusal) -> bytes:
    """Return the answer that does not."""
    body = refusal.body
    headers = refusal.headers | {"Content-Length": str(len(body)), "Connection": "close"}
    if refusal.status == HTTPStatus.UPGRADE_REQUIRED:
        headers["Sec-WebSocket-Version"] = "13"
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode() + body
