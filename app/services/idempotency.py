"""Idempotency keys: a changing call that is repeated within a day gets its first answer again and causes nothing.

The answer is stored in the transaction of the change, so there is never one without the other
(draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, insert, select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import IdempotencyKeyReused
from app.models import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer. `headers` are those that belong to it (ETag, Location, content type)."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A changing call: who made it, under which key, and the fingerprint of what it asks."""

    user_id: UUID
    key: str
    fingerprint: str


_OF_CALL = (IdempotencyKey.user_id == bindparam("user"), IdempotencyKey.key == bindparam("used_key"))
_FIND = select(IdempotencyKey).where(*_OF_CALL)
_FORGET = delete(IdempotencyKey).where(*_OF_CALL)
_KEEP = insert(IdempotencyKey)


def make_call(user_id: UUID, key: str, method: str, target: str, body: bytes) -> Call:
    """Return the call; the same key with another method, target or body is another call."""
    content = b"\0".join((method.encode(), target.encode(), body))
    return Call(user_id, key, hashlib.sha256(content).hexdigest())


async def find_answer(uow: UnitOfWork, call: Call, *, keep_s: int) -> Answer | None:
    """Return the first answer to this call, if it was made before; one that is being answered now is waited for.

    Raises:
        IdempotencyKeyReused: the key was used for something else.
    """
    await uow.lock_name(f"{call.user_id} {call.key}")
    which = {"user": call.user_id, "used_key": call.key}
    row = (await uow.find(_FIND, which)).one_or_none()
    if row is None:
        return None
    if row.created_at < utc_now() - timedelta(seconds=keep_s):
        await uow.execute(_FORGET, which)
        return None
    if row.fingerprint != call.fingerprint:
        message = "this Idempotency-Key was used for another call; make a new key for each change"
        raise IdempotencyKeyReused(message)
    return Answer(row.status, orjson.loads(row.headers), row.body)


async def keep_answer(uow: UnitOfWork, call: Call, answer: Answer) -> None:
    """Store the answer with the change."""
    row = {
        "user_id": call.user_id,
        "key": call.key,
        "fingerprint": call.fingerprint,
        "status": answer.status,
        "headers": orjson.dumps(answer.headers).decode(),
        "body": answer.body,
        "created_at": utc_now(),
    }
    await uow.execute(_KEEP, row)
