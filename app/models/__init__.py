"""The tables, one file per noun."""

from app.models.base import Base
from app.models.event import LoggedEvent
from app.models.mail import MailUse, OutgoingMail, PasswordReset
from app.models.notification import (
    LoggedNotice,
    Notification,
    NotificationSettings,
    ProjectWatch,
    PushDelivery,
    PushSubscription,
    ReminderLook,
    SentReminder,
    TaskWatch,
)
from app.models.project import BoardColumn, Invitation, Label, Member, Project, SavedView
from app.models.task import Comment, Mention, Task, TaskAssignee, TaskLabel
from app.models.user import IdempotencyKey, RefreshToken, Session, SocketTicket, User

__all__ = [
    "Base",
    "BoardColumn",
    "Comment",
    "IdempotencyKey",
    "Invitation",
    "Label",
    "LoggedEvent",
    "LoggedNotice",
    "MailUse",
    "Member",
    "Mention",
    "Notification",
    "NotificationSettings",
    "OutgoingMail",
    "PasswordReset",
    "Project",
    "ProjectWatch",
    "PushDelivery",
    "PushSubscription",
    "RefreshToken",
    "ReminderLook",
    "SavedView",
    "SentReminder",
    "Session",
    "SocketTicket",
    "Task",
    "TaskAssignee",
    "TaskLabel",
    "TaskWatch",
    "User",
]
