"""Forgetting, on time: old events, the trash, ended sessions, used credentials. Safe to run on every server."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update

from app.config import Settings
from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.models import Comment, IdempotencyKey, Invitation, LoggedEvent, Project, Session, SocketTicket, Task


async def sweep(uow: UnitOfWork, settings: Settings) -> None:
    """Delete what is past its time. Events are trimmed from the oldest on, and the floor says up to where."""
    now = utc_now()
    await uow.sweep(delete(SocketTicket).where(SocketTicket.expires_at < now))
    await uow.sweep(delete(Invitation).where(Invitation.expires_at < now))
    keys_before = now - timedelta(seconds=settings.idempotency_s)
    await uow.sweep(delete(IdempotencyKey).where(IdempotencyKey.created_at < keys_before))
    sessions_before = now - timedelta(seconds=settings.access_token_s)
    await uow.sweep(delete(Session).where(Session.expires_at < sessions_before))
    await uow.sweep(delete(Session).where(Session.ended_at < sessions_before))
    trashed_before = now - timedelta(seconds=settings.trash_s)
    await uow.sweep(delete(Task).where(Task.deleted_at < trashed_before))
    await uow.sweep(delete(Comment).where(Comment.deleted_at < trashed_before))
    await _trim_logs(uow, settings)


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
