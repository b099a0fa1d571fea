"""Signs of life: who types where, who looks at which card. Shown to the members who are there, and never stored."""

from collections.abc import Callable
from uuid import UUID

from app.permissions import Action, may
from app.websocket.connection import Connection, Cursor, SocketUser
from app.websocket.events import EventType, UserEvent
from app.websocket.manager import ConnectionManager
from app.websocket.messages import Typing, Viewing
from app.websocket.presence import Presence
from app.websocket.protocol import ErrorCode, MessageError


class Activity:
    """Shows what members do; `show_elsewhere` tells the other servers."""

    def __init__(
        self, manager: ConnectionManager, presence: Presence, show_elsewhere: Callable[[UUID, UserEvent], None]
    ) -> None:
        self._manager = manager
        self._presence = presence
        self._show_elsewhere = show_elsewhere

    def type(self, connection: Connection, message: Typing) -> None:
        """Show that somebody writes something about a task.

        Raises:
            MessageError: they have not joined the project, or are no member of it.
        """
        user = self._may_signal(connection, message.project_id)
        data = {"task_id": str(message.task_id), "field": message.field, "name": user.name}
        self._show(UserEvent(EventType.TYPING, data, message.project_id, user.id), connection)

    def view(self, connection: Connection, message: Viewing) -> None:
        """Show which task somebody looks at, if any.

        Raises:
            MessageError: they have not joined the project, or are no member of it.
        """
        user = self._may_signal(connection, message.project_id)
        if message.task_id is None:
            self.stop_viewing(connection, message.project_id)
        else:
            connection.viewing[message.project_id] = message.task_id
            self._show_viewing(connection, user, message.project_id, message.task_id)

    def stop_viewing(self, connection: Connection, project_id: UUID) -> None:
        """Show what the person's other connections look at, if anything."""
        if connection.user is None or connection.viewing.pop(project_id, None) is None:
            return
        others = self._manager.connections_of(connection.user.id)
        task_id = next((task for other in others if (task := other.viewing.get(project_id))), None)
        self._show_viewing(connection, connection.user, project_id, task_id)

    def _show_viewing(self, connection: Connection, user: SocketUser, project_id: UUID, task_id: UUID | None) -> None:
        self._presence.view(user.id, project_id, task_id)
        data = {"task_id": str(task_id) if task_id else None, "name": user.name}
        self._show(UserEvent(EventType.VIEWING, data, project_id, user.id), connection)

    def _show(self, event: UserEvent, connection: Connection) -> None:
        assert event.project_id is not None
        self._manager.show_to_members(event.project_id, event, exclude=connection)
        self._show_elsewhere(event.project_id, event)

    def _may_signal(self, connection: Connection, project_id: UUID) -> SocketUser:
        cursor = find_cursor(connection, project_id)
        if connection.user is None or not may(cursor.role, Action.SIGNAL):
            message = "only members of the project are shown to others"
            raise MessageError(ErrorCode.FORBIDDEN, message)
        return connection.user


def find_cursor(connection: Connection, project_id: UUID) -> Cursor:
    """Return the connection's place in a room.

    Raises:
        MessageError: it has not joined the project.
    """
    cursor = connection.cursors.get(project_id)
    if cursor is None or cursor.room.is_personal:
        message = "join the project first"
        raise MessageError(ErrorCode.NOT_JOINED, message)
    return cursor
