"""Forgetting, on time: old events, the trash, ended sessions, used credentials. Safe to run on every server."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Executable, delete, select

from app.config import Settings
from app.db.unit_of_work import Database
from app.domain.clock import utc_now
from app.models import (
    Comment,
    IdempotencyKey,
    Invitation,
    MailUse,
    Notification,
    OutgoingMail,
    PasswordReset,
    Project,
    Session,
    SocketTicket,
    Task,
)
from app.services.mail_limits import LONGEST
from app.services.trimming import project_logs, streams, trim


async def sweep(database: Database, settings: Settings) -> None:
    """Delete what is past its time, in short transactions.

    None holds rows of one kind while it wants some of another; but whose log it is comes before the log, as in writing.
    """
    now = utc_now()
    for statement in _steps(settings, now):
        async with database.write() as uow:
            await uow.sweep(statement)
    kept_since = now - timedelta(seconds=settings.log_keep_s)
    await trim(database, project_logs(settings.log_keep_events), kept_since)
    await trim(database, streams(), kept_since)
    past = Project.deleted_at < now - timedelta(seconds=settings.trash_s)
    async with database.read() as uow:
        gone = list((await uow.fetch(select(Project.id).where(past).order_by(Project.id))).scalars())
    for project_id in gone:
        async with database.write() as uow:
            await uow.sweep(delete(Project).where(Project.id == project_id, past))


def _steps(settings: Settings, now: datetime) -> Iterator[Executable]:
    yield delete(SocketTicket).where(SocketTicket.expires_at < now)
    yield delete(Invitation).where(Invitation.expires_at < now)
    yield delete(PasswordReset).where(PasswordReset.expires_at < now)
    yield delete(OutgoingMail).where(OutgoingMail.expires_at < now)
    yield delete(MailUse).where(MailUse.at < now - LONGEST)
    keys_before = now - timedelta(seconds=settings.idempotency_s)
    yield delete(IdempotencyKey).where(IdempotencyKey.created_at < keys_before)
    sessions_before = now - timedelta(seconds=settings.access_token_s)
    yield delete(Session).where(Session.expires_at < sessions_before)
    yield delete(Session).where(Session.ended_at < sessions_before)
    trashed_before = now - timedelta(seconds=settings.trash_s)
    yield delete(Task).where(Task.deleted_at < trashed_before)
    trashed = select(Comment.id).where(Comment.deleted_at < trashed_before)
    # Without its comment a row of an inbox would be shown again.
    yield delete(Notification).where(Notification.comment_id.in_(trashed), Notification.change_count == 1)
    yield delete(Comment).where(Comment.deleted_at < trashed_before)
    kept_since = now - timedelta(seconds=settings.log_keep_s)
    is_old = (Notification.created_at < kept_since) & (Notification.updated_at < kept_since)
    yield delete(Notification).where(is_old, Notification.snoozed_until.is_(None))  # what sleeps wakes first
