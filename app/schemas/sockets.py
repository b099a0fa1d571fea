"""Numbers of the sockets."""

from uuid import UUID

from app.schemas.base import ResponseModel


class SocketNumbers(ResponseModel):
    """How much goes on. The first four are of this moment, the others count up since the server started."""

    active_connections: int
    authenticated_users: int
    anonymous_connections: int
    active_rooms: int
    total_connections: int
    messages_sent: int
    messages_received: int
    events_delivered: int
    replays: int


class ClusterNumbers(SocketNumbers):
    """The numbers of all servers added up: who is, or what is open, on two of them counts twice."""

    servers: int


class SocketStats(SocketNumbers):
    """The numbers of the server that answers, and of all."""

    uptime_s: float
    cluster: ClusterNumbers | None
    """None while the servers do not hear each other."""
    rooms: dict[UUID, int] | None = None
    """Connections in each open room, for administrators."""
    users: dict[UUID, int] | None = None
    """Connections of each connected user, for administrators."""
