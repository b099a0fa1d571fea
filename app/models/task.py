"""Tasks, who they are assigned to, which labels they wear, and what was said about them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Position, only_where


class Task(Base):
    """A card. `due` is an ISO date or UTC time as text, so that both sort together; `deleted_at` means trash.

    An archived one (`archived_at`) keeps its position. `search_text` is title and description, each folded
    (`app.domain.folding`), with a line break between them; it is read by searching alone.

    `version` counts edits. `field_versions` is JSON: the version at which each field last changed, by which a PATCH
    with `If-Match` sees whether the same field was changed since.
    """

    __tablename__ = "tasks"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(50))
    priority: Mapped[str] = mapped_column(String(10))
    due: Mapped[str | None] = mapped_column(String(24))
    checklist: Mapped[str] = mapped_column(Text)
    position: Mapped[Position]
    version: Mapped[int]
    field_versions: Mapped[str] = mapped_column(Text)
    comment_count: Mapped[int]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text, server_default="")

    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        Index("ix_tasks_board", "project_id", "status", "position", "id"),
        Index("ix_tasks_trash", "deleted_at", **only_where("deleted_at IS NOT NULL")),
        Index("ix_tasks_due", "due", **only_where("due IS NOT NULL")),
        Index("ix_tasks_archive", "project_id", "archived_at", "id", **only_where("archived_at IS NOT NULL")),
    )


class TaskAssignee(Base):
    """One user a task is assigned to."""

    __tablename__ = "task_assignees"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class TaskLabel(Base):
    """One label a task wears."""

    __tablename__ = "task_labels"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    label_id: Mapped[UUID] = mapped_column(ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True, index=True)


class Comment(Base):
    """A remark on a task. `mentions` is a JSON list of user ids, found again by user in `Mention`.

    A deleted one (`deleted_at`, `deleted_by`) can be taken back for a while. `search_text` is the folded body.
    """

    __tablename__ = "comments"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    author_name: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    mentions: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[UUID | None]
    search_text: Mapped[str] = mapped_column(Text, server_default="")

    __table_args__ = (
        Index("ix_comments_task_id", "task_id", "id"),
        Index("ix_comments_project_id", "project_id"),
        Index("ix_comments_trash", "deleted_at", **only_where("deleted_at IS NOT NULL")),
    )


class Mention(Base):
    """One user a comment mentions."""

    __tablename__ = "mentions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    comment_id: Mapped[UUID] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True, index=True
    )
