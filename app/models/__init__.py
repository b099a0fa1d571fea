"""The tables, one file per noun."""

from app.models.base import Base
from app.models.event import LoggedEvent
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
    "Member",
    "Mention",
    "Project",
    "RefreshToken",
    "SavedView",
    "Session",
    "SocketTicket",
    "Task",
    "TaskAssignee",
    "TaskLabel",
    "User",
]
