"""Tasks over REST: what a call changes, what it tells, and what it refuses."""

from tests.support.people import Json, Person
from tests.support.server import TestServer
from tests.support.sockets import open_socket


async def test_created_task_reaches_a_colleague(server: TestServer, anna: Person, boris: Person, project: Json) -> None:
    """A task that one person creates is the next event on the other's socket."""
    await anna.add(project, boris)
    async with open_socket(server, boris) as socket:
        await socket.join(project)
        task = await anna.task(project, "Купить билеты")
        (event,) = await socket.receive_events(1)
    assert event["type"] == "task_created"
    assert event["data"]["task_id"] == task["id"]
    assert event["data"]["title"] == "Купить билеты"
