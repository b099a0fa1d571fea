"""Projects and what belongs to them as a whole: members, invitations, columns, labels."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Name, Position, Seq


class Project(Base):
    """A project and the head of its log.

    `event_seq` is the number of the last event, `event_floor` that of the last one trimmed away, `epoch` the name of
    this log's life: a restored backup gets a new one. `deleted_at` hides the project, until it is
    taken back or forgotten with everything in it.
    """

    __tablename__ = "projects"

    id: Mapped[Key]
    key: Mapped[str] = mapped_column(String(10))
    name: Mapped[Name]
    description: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(10))
    hide_titles_in_push: Mapped[bool] = mapped_column(server_default=false())
    version: Mapped[int]
    epoch: Mapped[str] = mapped_column(String(16))
    event_seq: Mapped[Seq]
    event_floor: Mapped[Seq]
    last_task_number: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Member(Base):
    """A user with a role in a project."""

    __tablename__ = "members"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(10))
    joined_at: Mapped[datetime]


class Invitation(Base):
    """An open door to a project, kept as the digest of its token. One with an e-mail address serves one person."""

    __tablename__ = "invitations"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(10))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_invitations_project_id", "project_id", "id"),)


class BoardColumn(Base):
    """A column of the board; `key` is the `status` of the tasks in it and never changes."""

    __tablename__ = "columns"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(50))
    name: Mapped[Name]
    position: Mapped[Position]
    wip_limit: Mapped[int | None]
    is_done: Mapped[bool]

    __table_args__ = (UniqueConstraint("project_id", "key"),)


class SavedView(Base):
    """A filter of one project's board that one person keeps under a name. `query` is as the page's address has it."""

    __tablename__ = "saved_views"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[Name]
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_saved_views_project_id", "project_id", "user_id", "id"),)


class Label(Base):
    """A coloured word that tasks of one project can wear."""

    __tablename__ = "labels"

    id: Mapped[Key]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[Name]
    color: Mapped[str] = mapped_column(String(7))
