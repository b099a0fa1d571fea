"""Forgetting, on time: old events, the trash, ended sessions, used credentials. Safe to run on every server."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from app.config import Settings
from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.models import (
    Comment,
    IdempotencyKey,
    Invitation,
    LoggedEvent,
    LoggedNotice,
    Notification,
    OutgoingMail,
    PasswordReset,
    Project,
    Session,
    SocketTicket,
    Task,
    User,
)


async def sweep(uow: UnitOfWork, settings: Settings) -> None:
    """Delete what is past its time. Events are trimmed from the oldest on, and the floor says up to where."""
    now = utc_now()
    await uow.sweep(delete(SocketTicket).where(SocketTicket.expires_at < now))
    await uow.sweep(delete(Invitation).where(Invitation.expires_at < now))
    await uow.sweep(delete(PasswordReset).where(PasswordReset.expires_at < now))
    await uow.sweep(delete(OutgoingMail).where(OutgoingMail.expires_at < now))
    keys_before = now - timedelta(seconds=settings.idempotency_s)
    await uow.sweep(delete(IdempotencyKey).where(IdempotencyKey.created_at < keys_before))
    sessions_before = now - timedelta(seconds=settings.access_token_s)
    await uow.sweep(delete(Session).where(Session.expires_at < sessions_before))
    await uow.sweep(delete(Session).where(Session.ended_at < sessions_before))
    trashed_before = now - timedelta(seconds=settings.trash_s)
    await uow.sweep(delete(Project).where(Project.deleted_at < trashed_before))
    await uow.sweep(delete(Task).where(Task.deleted_at < trashed_before))
    await uow.sweep(delete(Comment).where(Comment.deleted_at < trashed_before))
    kept_since = now - timedelta(seconds=settings.log_keep_s)
    await uow.sweep(delete(Notification).where(Notification.created_at < kept_since))
    await _trim_logs(uow, settings)
    await _trim_streams(uow, kept_since)


async def _trim_logs(uow: UnitOfWork, settings: Settings) -> None:
    """Raise each project's floor to the last event that is too old or too many, then delete up to the floor."""
    too_old = (
        select(func.coalesce(func.max(LoggedEvent.seq), 0))
        .where(
            LoggedEvent.project_id == Project.id,
            LoggedEvent.timestamp < utc_now() - timedelta(seconds=settings.log_keep_s),
        )
        .scalar_subquery()
    )
    for limit in (too_old, Project.event_seq - settings.log_keep_events):
        await uow.sweep(update(Project).where(Project.event_floor < limit).values(event_floor=limit))
    floor = select(Project.event_floor).where(Project.id == LoggedEvent.project_id).scalar_subquery()
    await uow.sweep(delete(LoggedEvent).where(LoggedEvent.seq <= floor))


async def _trim_streams(uow: UnitOfWork, kept_since: datetime) -> None:
    """The same for everybody's stream, by age alone."""
    too_old = (
        select(func.coalesce(func.max(LoggedNotice.seq), 0))
        .where(LoggedNotice.user_id == User.id, LoggedNotice.timestamp < kept_since)
        .scalar_subquery()
    )
    await uow.sweep(update(User).where(User.notice_floor < too_old).values(notice_floor=too_old))
    floor = select(User.notice_floor).where(User.id == LoggedNotice.user_id).scalar_subquery()
    await uow.sweep(delete(LoggedNotice).where(LoggedNotice.seq <= floor))
