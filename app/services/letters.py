"""What each kind of mail says, written when it is sent: nobody is told what is not so any more."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.errors import NotFound
from app.mail.letters import Button, Letter, Paragraph
from app.mail.wording import word
from app.services import invitations, resets
from app.services.digest_letter import write_digest
from app.services.mailing import Mailing
from app.services.outbox import MailKind, Waiting

Writer = Callable[[UnitOfWork, Mailing, Waiting], Awaitable[Letter | None]]


async def write(uow: UnitOfWork, mailing: Mailing, mail: Waiting) -> Letter | None:
    """Return a mail as it is to be read; None when there is nothing to say any more."""
    return await _WRITERS[MailKind(mail.kind)](uow, mailing, mail)


async def _write_invitation(uow: UnitOfWork, mailing: Mailing, mail: Waiting) -> Letter | None:
    token = mailing.invitation_token(UUID(orjson.loads(mail.data)["invitation_id"]))
    try:
        found = await invitations.find(uow, invitations.by_token(token))
    except NotFound:
        return None  # revoked or used
    language = mail.language
    names = {"inviter": found.inviter_name, "project": found.project_name, "host": mailing.host}
    role = word(language, f"role.{found.role}")
    lasts = _write_duration(language, found.expires_at - utc_now())
    return Letter(
        mail.address,
        language,
        word(language, "invitation.subject", **names),
        [
            Paragraph(word(language, "invitation.text", **names, role=role)),
            Button(word(language, "invitation.button"), mailing.invitation_url(token)),
            Paragraph(word(language, "invitation.until", time=lasts)),
        ],
        [word(language, "footer.why", **names), word(language, "invitation.footer", **names)],
    )


async def _write_reset(uow: UnitOfWork, mailing: Mailing, mail: Waiting) -> Letter | None:
    found = await resets.prepare(uow, mailing, mail)
    if found is None:
        return None
    user, token = found
    language = user.language
    return Letter(
        mail.address,
        language,
        word(language, "reset.subject"),
        [
            Paragraph(word(language, "reset.text", email=user.email, host=mailing.host)),
            Button(word(language, "reset.button"), mailing.reset_url(token)),
            Paragraph(word(language, "reset.until")),
        ],
        [word(language, "footer.why", host=mailing.host), word(language, "reset.footer")],
    )


def _write_duration(language: str, left: timedelta) -> str:
    hours = max(1, round(left / timedelta(hours=1)))
    return word(language, "hours", count=hours) if hours < 48 else word(language, "days", count=round(hours / 24))


_WRITERS: Final[Mapping[MailKind, Writer]] = {
    MailKind.INVITATION: _write_invitation,
    MailKind.RESET: _write_reset,
    MailKind.DIGEST: write_digest,
}
