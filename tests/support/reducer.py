"""The reference reducer: a board and the next event of its log give the next board.

Written from the protocol alone, without a look at the page's reducer; both run tests/fixtures/protocol/reducer.json.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

Json = dict[str, Any]


def reduce(board: Json, event: Json) -> Json:
    """Return the board after `event`; an event that is not the next one leaves it as it is."""
    if event.get("seq") != board["seq"] + 1:
        return board
    after = deepcopy(board)
    after["seq"] = event["seq"]
    apply = _RULES.get(event["type"])
    if apply is not None:
        apply(after, deepcopy(event["data"]))
    return after


def reduce_all(board: Json, events: Iterable[Json]) -> Json:
    """Return the board after all of `events`."""
    for event in events:
        board = reduce(board, event)
    return board


def _put_card(board: Json, data: Json) -> None:
    if data["archived_at"] is not None:
        _remove_card(board, data)
        return
    card = _renamed(data, "task_id")
    del card["description"]
    _put(board["tasks"], card, "id", _by_position)


def _remove_card(board: Json, data: Json) -> None:
    _remove(board["tasks"], "id", data["task_id"])


def _count_comments(board: Json, data: Json) -> None:
    for card in board["tasks"]:
        if card["id"] == data["task_id"]:
            card["comment_count"] = data["comment_count"]


def _replace_project(board: Json, data: Json) -> None:
    board["project"] |= _renamed(data, "")


def _delete_project(board: Json, data: Json) -> None:
    _replace_project(board, data)
    board["project"]["deleted"] = True


def _restore_project(board: Json, data: Json) -> None:
    _replace_project(board, data)
    board["project"]["deleted"] = False


def _put_member(board: Json, data: Json) -> None:
    _put(board["members"], _renamed(data, ""), "user_id", lambda member: member["user_id"])


def _remove_member(board: Json, data: Json) -> None:
    _remove(board["members"], "user_id", data["user_id"])
    _take_off_cards(board, "assignee_ids", data["user_id"])


def _put_column(board: Json, data: Json) -> None:
    _put(board["columns"], _renamed(data, "column_id"), "id", _by_position)


def _remove_column(board: Json, data: Json) -> None:
    _remove(board["columns"], "id", data["column_id"])


def _put_label(board: Json, data: Json) -> None:
    _put(board["labels"], _renamed(data, "label_id"), "id", lambda label: label["id"])


def _remove_label(board: Json, data: Json) -> None:
    _remove(board["labels"], "id", data["label_id"])
    _take_off_cards(board, "label_ids", data["label_id"])


def _renamed(data: Json, own_id: str) -> Json:
    """Return the object as a board holds it: its own id is `id`, and nothing says what changed."""
    return {"id" if name == own_id else name: value for name, value in data.items() if name != "changes"}


def _by_position(item: Json) -> tuple[str, str]:
    return item["position"], item["id"]


def _put(items: list[Json], item: Json, key: str, order: Callable[[Json], Any]) -> None:
    _remove(items, key, item[key])
    items.append(item)
    items.sort(key=order)


def _remove(items: list[Json], key: str, value: str) -> None:
    items[:] = [item for item in items if item[key] != value]


def _take_off_cards(board: Json, name: str, value: str) -> None:
    for card in board["tasks"]:
        card[name] = [other for other in card[name] if other != value]


_RULES: dict[str, Callable[[Json, Json], None]] = {
    "task_created": _put_card,
    "task_updated": _put_card,
    "task_moved": _put_card,
    "task_assigned": _put_card,
    "task_restored": _put_card,
    "task_unarchived": _put_card,
    "task_archived": _remove_card,
    "task_deleted": _remove_card,
    "comment_added": _count_comments,
    "comment_updated": _count_comments,
    "comment_deleted": _count_comments,
    "comment_restored": _count_comments,
    "project_updated": _replace_project,
    "project_deleted": _delete_project,
    "project_restored": _restore_project,
    "project_member_added": _put_member,
    "project_member_updated": _put_member,
    "project_member_removed": _remove_member,
    "column_created": _put_column,
    "column_updated": _put_column,
    "column_deleted": _remove_column,
    "label_created": _put_label,
    "label_updated": _put_label,
    "label_deleted": _remove_label,
}
