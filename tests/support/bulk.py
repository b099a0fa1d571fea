"""Very many cards on a board at once: copies of one that was made over the API, written past the services."""

import sqlite3
from contextlib import closing
from typing import Final
from uuid import UUID, uuid4

from app.domain import ranking
from tests.support.people import Json
from tests.support.site import Account, Site

PRIORITIES: Final = ("none", "low", "none", "medium", "none", "high", "none", "urgent")
WORDS: Final = (
    "Write",
    "Check the figures of",
    "Ask everybody again about",
    "Have a second look, with somebody who knows, at",
)
DATABASE: Final = "timetodo.sqlite3"


async def fill_board(site: Site, account: Account, project: Json, count: int) -> None:
    """Give every column of an empty project its share of `count` cards; no event tells of them.

    They are called "… 1" to "… <count>", numbered from column to column, and differ in height.
    """
    board = await account.call("GET", f"/projects/{project['id']}/board")
    first = await account.task(project, "Write 1")
    columns = [column["key"] for column in board["columns"]]
    with closing(sqlite3.connect(site.data_dir / DATABASE)) as database, database:
        clone(database, UUID(first["id"]), columns, count)


def clone(database: sqlite3.Connection, pattern: UUID, columns: list[str], count: int) -> None:
    """Insert the copies, and note the last number."""
    database.row_factory = sqlite3.Row
    row = dict(database.execute("SELECT * FROM tasks WHERE id = ?", (pattern.hex,)).fetchone())
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    position = row["position"]
    for number in range(2, count + 1):
        position = ranking.between(position, None)
        title = f"{WORDS[number % len(WORDS)]} {number}"
        changes = {
            "id": uuid4().hex,
            "number": number,
            "title": title,
            "status": columns[(number - 1) * len(columns) // count],
            "priority": PRIORITIES[number % len(PRIORITIES)],
            "position": position,
        }
        database.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", row | changes)
    database.execute("UPDATE projects SET last_task_number = ? WHERE id = ?", (count, row["project_id"]))
