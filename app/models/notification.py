"""What somebody is told: the rows of their inbox, the log of what happened to them, and how they want it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Seq, only_where

UNREAD_TO_MAIL: Final = "mail_at IS NOT NULL AND read_at IS NULL AND archived_at IS NULL AND snoozed_until IS NULL"


class Notification(Base):
    """One row of somebody's inbox. `seq` is its last change's place in its reader's stream.

    `why` is what its reader has to do with it (`app.domain.notifying.Why`), `details` JSON of what the kind needs.
    A burst on one task is one row with a `change_count`. `pushed_at` is when devices were last made to show it; None
    when none does, so that there is nothing to close when it is read. `mail_at` is when it is mailed if it is unread
    then; None: it is not. `digest_id` is the mail it was in.
    """

    __tablename__ = "notifications"

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    seq: Mapped[Seq]
    kind: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), index=True)
    comment_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="SET NULL"), index=True)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    actor_name: Mapped[str] = mapped_column(String(200))
    change_count: Mapped[int]
    details: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]
    mail_at: Mapped[datetime | None]
    digest_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_notifications_inbox", "user_id", "updated_at", "id"),
        Index("ix_notifications_unread", "user_id", "task_id", **only_where("read_at IS NULL")),
        Index("ix_notifications_snoozed", "snoozed_until", **only_where("snoozed_until IS NOT NULL")),
        Index("ix_notifications_created_at", "created_at"),
        Index("ix_notifications_mail_at", "mail_at", **only_where(UNREAD_TO_MAIL)),
    )


class LoggedNotice(Base):
    """One row of a user's stream: that something about their inbox changed. What it says is read from the inbox.

    (user_id, seq) is gapless from the user's floor to their head. `project_id` is the project whose rows were all
    marked; none: those of every project.
    """

    __tablename__ = "notices"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[Seq] = mapped_column(primary_key=True, autoincrement=False)
    timestamp: Mapped[datetime] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(20))
    notification_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]


class NotificationSettings(Base):
    """How somebody wants to be told, as JSON of `app.domain.notifying.Settings`; without a row, by default."""

    __tablename__ = "notification_settings"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    settings: Mapped[str] = mapped_column(Text)


class TaskWatch(Base):
    """That somebody watches a task, or wants to hear nothing of it."""

    __tablename__ = "task_watches"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    state: Mapped[str] = mapped_column(String(10))


class ProjectWatch(Base):
    """That somebody watches every task of a project; it is part of their settings, and is here to be found."""

    __tablename__ = "project_watches"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class PushDelivery(Base):
    """A notification on its way to somebody's devices, then to each of them; `leased_until`: a server is at it."""

    __tablename__ = "push_deliveries"

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    notification_id: Mapped[UUID | None] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"), index=True)
    subscription_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("push_subscriptions.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PushSubscription(Base):
    """A browser that somebody lets us push to, for as long as they are signed in there.

    `digest` is that of the endpoint. Nothing is sent before `retry_at`: the push service has asked for that.
    """

    __tablename__ = "push_subscriptions"

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    endpoint: Mapped[str] = mapped_column(Text)
    p256dh: Mapped[str] = mapped_column(String(200))
    auth: Mapped[str] = mapped_column(String(100))
    label: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]


class SentReminder(Base):
    """What somebody was reminded of, of a task's due date; another due date begins anew.

    `told_min` is the lead of the latest reminder they were given; None: none yet. They are given those after `since`.
    """

    __tablename__ = "sent_reminders"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, index=True)
    due: Mapped[str] = mapped_column(String(24))
    since: Mapped[datetime]
    told_min: Mapped[int | None]


class ReminderLook(Base):
    """When somebody was last looked for who is to be reminded: one row."""

    __tablename__ = "reminder_looks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    looked_at: Mapped[datetime]
