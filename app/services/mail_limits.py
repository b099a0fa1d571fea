"""How often somebody may cause mails, counted in the database: one count for all servers, which survives a restart."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import insert, select

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import RateLimited
from app.models import MailUse
from app.security import digest, new_id

LONGEST: Final = timedelta(hours=1)
"""Over which any limit counts; what was before need not be kept."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many within a time; `what`, in the plural, says of what."""

    what: str
    most: int
    within: timedelta = LONGEST


async def take(uow: UnitOfWork, limit: Limit, key: str) -> None:
    """Count one use of `key`, which is kept as a digest. It counts once this transaction has committed.

    Raises:
        RateLimited: too many.
    """
    who, now = digest(f"{limit.what}: {key}"), utc_now()
    await uow.lock_name(who)
    recent = (
        select(MailUse.at)
        .where(MailUse.who == who, MailUse.at > now - limit.within)
        .order_by(MailUse.at.desc())
        .limit(limit.most)
    )
    taken = list((await uow.fetch(recent)).scalars())
    if len(taken) == limit.most:
        wait_s = math.ceil((taken[-1] + limit.within - now).total_seconds())
        message = f"too many {limit.what}; try again in {wait_s} s"
        raise RateLimited(message, retry_after_s=wait_s)
    await uow.execute(insert(MailUse).values(id=new_id(), who=who, at=now))
