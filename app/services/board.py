"""The snapshot: a whole board, and the position in the log at which it is true, read in one transaction."""

from uuid import UUID

from app.db.unit_of_work import UnitOfWork
from app.models import Task as TaskRow
from app.permissions import Action
from app.schemas.tasks import Board
from app.services.access import Actor, open_project
from app.services.columns import fetch_columns
from app.services.labels import fetch_labels
from app.services.members import fetch_members
from app.services.projects import to_project
from app.services.task_rows import fetch_tasks, select_tasks, to_card


async def snapshot(uow: UnitOfWork, actor: Actor | None, project_id: UUID) -> Board:
    """Return the board as it is after event `seq`: apply the later events and it is the board now."""
    project = await open_project(uow, actor, project_id, Action.READ)
    statement = (
        select_tasks()
        .where(TaskRow.project_id == project.id, TaskRow.deleted_at.is_(None), TaskRow.archived_at.is_(None))
        .order_by(TaskRow.position, TaskRow.id)
    )
    tasks = await fetch_tasks(uow, project, statement)
    return Board(
        epoch=project.row.epoch,
        seq=project.row.event_seq,
        role=project.role,
        project=to_project(project.row),
        columns=await fetch_columns(uow, project.id),
        labels=await fetch_labels(uow, project.id),
        members=await fetch_members(uow, project.id),
        tasks=[to_card(task) for task in tasks],
    )
