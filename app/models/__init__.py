"""The tables, one file per noun."""

from app.models.base import Base
from app.models.event import LoggedEvent
from app.models.project import BoardColumn, Invitation, Label, Member, Project
from app.models.task import Comment, Task, TaskAssignee, TaskLabel
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
    "Project",
    "RefreshToken",
    "Session",
    "SocketTicket",
    "Task",
    "TaskAssignee",
    "TaskLabel",
    "User",
]
