"""The log: one row per committed change of a project."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Seq


class LoggedEvent(Base):
    """A stored `app.domain.events.Event`; (project_id, seq) is gapless from the project's floor to its head.

    `task_id` is the task that an event, or the comment it tells of, is about.
    """

    __tablename__ = "events"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(40))
    timestamp: Mapped[datetime]
    user_id: Mapped[UUID | None]
    op_id: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[str] = mapped_column(Text)
    task_id: Mapped[UUID | None]

    __table_args__ = (Index("ix_events_task", "task_id", "seq"),)
