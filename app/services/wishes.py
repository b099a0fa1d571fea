"""How somebody wants to be told: in general, of single projects, and of single tasks."""

from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.db.unit_of_work import UnitOfWork
from app.domain.clock import utc_now
from app.domain.notifying import BY_DEFAULT, Watching, Wishes
from app.errors import InvalidField, NotFound
from app.models import Member, Notification, ProjectWatch, TaskWatch, User
from app.models import NotificationSettings as SettingsRow
from app.permissions import Action
from app.schemas.notifications import MAX_PROJECTS, NotificationSettings, NotificationSettingsChange, Watch
from app.services.access import Actor, open_task
from app.services.task_rows import load_row


async def load_settings(uow: UnitOfWork, actor: Actor) -> NotificationSettings:
    """Return how the actor wants to be told."""
    return await _load(uow, actor.user_id)


async def save_settings(uow: UnitOfWork, actor: Actor, body: NotificationSettings) -> NotificationSettings:
    """Make `body` how the actor wants to be told. Projects the actor is no member of are left out."""
    own = select(Member.project_id).where(Member.user_id == actor.user_id, Member.project_id.in_(body.projects))
    members = set((await uow.fetch(own)).scalars()) if body.projects else set()
    kept = body.model_copy(update={"projects": {id_: one for id_, one in body.projects.items() if id_ in members}})
    await _store(uow, actor.user_id, kept)
    await uow.execute(delete(ProjectWatch).where(ProjectWatch.user_id == actor.user_id))
    watched = [{"project_id": id_, "user_id": actor.user_id} for id_, one in kept.projects.items() if one.watched]
    if watched:
        await uow.execute(insert(ProjectWatch), watched)
    return kept


async def change_settings(uow: UnitOfWork, actor: Actor, body: NotificationSettingsChange) -> NotificationSettings:
    """Change no more than what `body` was given: the rest may have been changed a moment ago."""
    await uow.lock(select(User.id).where(User.id == actor.user_id))
    after = body.applied_to(await _load(uow, actor.user_id))
    if len(after.projects) > MAX_PROJECTS:
        raise InvalidField("projects", f"no more than {MAX_PROJECTS} projects: set some to null")
    return await save_settings(uow, actor, after)


async def end_digests(uow: UnitOfWork, user_id: UUID) -> None:
    """Mail somebody no more of what is unread."""
    await uow.lock(select(User.id).where(User.id == user_id))  # or what is chosen meanwhile would be undone
    if (await uow.fetch(select(User.id).where(User.id == user_id))).one_or_none() is None:
        message = "this link is not valid any more: there is no such account"
        raise NotFound(message)
    settings = await _load(uow, user_id)
    if settings.digest_after_h is not None:
        await _store(uow, user_id, settings.model_copy(update={"digest_after_h": None}))


async def load_watch(uow: UnitOfWork, actor: Actor, task_id: UUID) -> Watch:
    """Return what the actor wants to hear of a task."""
    project = await open_task(uow, actor, task_id, Action.BE_TOLD)
    await load_row(uow, project, task_id)
    mine = (TaskWatch.task_id == task_id, TaskWatch.user_id == actor.user_id)
    state = (await uow.fetch(select(TaskWatch.state).where(*mine))).scalar_one_or_none()
    return Watch(state=Watching(state or Watching.DEFAULT))


async def save_watch(uow: UnitOfWork, actor: Actor, task_id: UUID, body: Watch) -> Watch:
    """Say what the actor wants to hear of a task."""
    project = await open_task(uow, actor, task_id, Action.BE_TOLD, lock=True)
    await load_row(uow, project, task_id)
    await uow.execute(delete(TaskWatch).where(TaskWatch.task_id == task_id, TaskWatch.user_id == actor.user_id))
    if body.state is not Watching.DEFAULT:
        row = {"task_id": task_id, "user_id": actor.user_id, "state": body.state.value}
        await uow.execute(insert(TaskWatch).values(row))
    return body


def to_wishes(stored: str | None) -> Wishes:
    """Return somebody's stored settings as what decides; None: they never said."""
    return NotificationSettings.model_validate_json(stored).to_wishes() if stored else BY_DEFAULT


async def _load(uow: UnitOfWork, user_id: UUID) -> NotificationSettings:
    stored = (await uow.fetch(select(SettingsRow.settings).where(SettingsRow.user_id == user_id))).scalar_one_or_none()
    return NotificationSettings.model_validate_json(stored) if stored else NotificationSettings()


async def _store(uow: UnitOfWork, user_id: UUID, settings: NotificationSettings) -> None:
    """Replace somebody's settings. When what is unread is mailed is thought over if they want it otherwise now."""
    await uow.lock(select(User.id).where(User.id == user_id))
    before = await _load(uow, user_id)
    await uow.execute(delete(SettingsRow).where(SettingsRow.user_id == user_id))
    stored = {"user_id": user_id, "settings": settings.model_dump_json(by_alias=True)}
    await uow.execute(insert(SettingsRow).values(stored))
    if (before.digest_after_h, before.quiet) != (settings.digest_after_h, settings.quiet):
        waiting = (Notification.user_id == user_id, Notification.mail_at.is_not(None))
        look_at = utc_now() if settings.digest_after_h is not None else None
        await uow.execute(update(Notification).where(*waiting).values(mail_at=look_at))
