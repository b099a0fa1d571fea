"""Plays the day of `content.json` on the demo board: its people act over the API as anybody would, one thing at a time.

Three stories run beside each other, so that several cards are busy. In the evening the board is put back to about what
it was, and the next day begins; so it can play for weeks. What the server refuses (a visitor has deleted the card) ends
one story and nothing else.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from app.demo.content import Card, Content, Step, Story, due_day
from app.demo.fill import Account
from app.demo.performer import Address, Json, Performer, RefusedError
from app.domain.clock import utc_now

PAUSE_S: Final = (1.0, 4.0)
"""Between two actions: long enough to see each one, short enough to wait for the next."""
STORIES_AT_ONCE: Final = 3
SEED: Final = 20
REFUSED_S: Final = 10.0
"""Before another day is tried when the server did not let us begin."""
_log = structlog.get_logger(__name__)
Move = Callable[[Performer, "Scene", Step, str], Awaitable[Any]]


@dataclass(slots=True)
class Scene:
    """A story under way: its card and what is still to come."""

    task_id: str
    steps: list[Step]


class Player:
    """Everybody of the demo, and the script they follow."""

    def __init__(
        self, content: Content, accounts: list[Account], address: Address, *, pause_s: tuple[float, float] = PAUSE_S
    ) -> None:
        self._content = content
        self._performers = {account.person.id: Performer(account, address) for account in accounts}
        self._pause_s = pause_s
        self._random = random.Random(SEED)  # noqa: S311 - which card is next is no secret
        self._project_id = ""
        self._labels: dict[str, str] = {}
        self._user_ids: dict[str, str] = {}
        self._moves: dict[str, Move] = {
            "look": self._look,
            "look_away": self._look_away,
            "type": self._type,
            "comment": self._comment,
            "assign": self._assign,
            "move": self._move,
            "check": self._check,
            "change": self._change,
            "trash": self._trash,
            "restore": self._restore,
        }

    async def run(self, *, days: int | None = None) -> None:
        """Play so many days, or for ever."""
        await self._learn()
        sockets = [
            asyncio.create_task(performer.stay_online(self._project_id)) for performer in self._performers.values()
        ]
        try:
            played = 0
            while days is None or played < days:
                await self._play_day()
                played += 1
        finally:
            for socket in sockets:
                socket.cancel()
            await asyncio.gather(*sockets, return_exceptions=True)

    async def _learn(self) -> None:
        """Find the project and what its people and labels are called by the server."""
        for name, performer in self._performers.items():
            self._user_ids[name] = (await performer.call("GET", "/users/me"))["id"]
        found = (await self._first.call("GET", "/projects"))["items"]
        key = self._content.projects[0].key
        self._project_id = next(project["id"] for project in found if project["key"] == key)
        self._labels = {label["name"]: label["id"] for label in (await self._board())["labels"]}

    @property
    def _first(self) -> Performer:
        return next(iter(self._performers.values()))

    async def _board(self) -> Json:
        board: Json = await self._first.call("GET", f"/projects/{self._project_id}/board")
        return board

    async def _play_day(self) -> None:
        try:
            await self._tell_stories()
            await self._tidy_up()
        except RefusedError as refusal:  # outside a story: somebody changed a password, or deleted the project
            _log.warning("demo_day_ended", reason=str(refusal))
            await asyncio.sleep(REFUSED_S)

    async def _tell_stories(self) -> None:
        waiting = list(self._content.day.stories)
        scenes: list[Scene] = []
        while waiting or scenes:
            while waiting and len(scenes) < STORIES_AT_ONCE:
                scene = await self._open(waiting.pop(0), busy={scene.task_id for scene in scenes})
                if scene is not None:
                    scenes.append(scene)
            if scenes:
                scene = self._random.choice(scenes)
                await self._play(scene)
                if not scene.steps:
                    scenes.remove(scene)

    async def _open(self, story: Story, busy: set[str]) -> Scene | None:
        """Begin a story: make its card, or take one that no other story is about; None when there is none."""
        if story.new is not None:
            return Scene(await self._make(story.new), list(story.steps))
        cards = [
            card["id"]
            for card in (await self._board())["tasks"]
            if card["status"] == story.taken_from and card["id"] not in busy
        ]
        return Scene(self._random.choice(cards), list(story.steps)) if cards else None

    async def _make(self, card: Card) -> str:
        body = {
            "project_id": self._project_id,
            "title": card.title,
            "description": card.description,
            "status": card.column,
            "priority": card.priority.value,
            "label_ids": self._label_ids(card.labels),
            "due": card.due_text(utc_now()),
            "checklist": [{"text": line.text, "done": line.done} for line in card.checklist],
        }
        await self._pause()
        task: Json = await self._performers[card.by].call("POST", "/tasks", body, key=_new_key())
        _log.info("demo_step", who=card.by, do="create", task=task["key"])
        return str(task["id"])

    async def _play(self, scene: Scene) -> None:
        step = scene.steps.pop(0)
        await self._pause()
        try:
            await self._moves[step.do](self._performers[step.who], scene, step, _new_key())
            _log.info("demo_step", who=step.who, do=step.do, task=scene.task_id)
        except RefusedError as refusal:
            _log.info("demo_story_ended", who=step.who, do=step.do, reason=str(refusal))
            scene.steps.clear()

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(*self._pause_s))

    async def _look(self, performer: Performer, scene: Scene, _step: Step, _key: str) -> None:
        await performer.show("viewing", self._project_id, scene.task_id)

    async def _look_away(self, performer: Performer, _scene: Scene, _step: Step, _key: str) -> None:
        await performer.show("viewing", self._project_id, None)

    async def _type(self, performer: Performer, scene: Scene, _step: Step, _key: str) -> None:
        await performer.show("typing", self._project_id, scene.task_id)

    async def _comment(self, performer: Performer, scene: Scene, step: Step, key: str) -> None:
        await performer.call("POST", f"/tasks/{scene.task_id}/comments", {"body": step.text}, key=key)

    async def _assign(self, performer: Performer, scene: Scene, step: Step, key: str) -> None:
        body = {"user_ids": [self._user_ids[name] for name in step.to]}
        await performer.call("POST", f"/tasks/{scene.task_id}/assign", body, key=key)

    async def _move(self, performer: Performer, scene: Scene, step: Step, key: str) -> None:
        body: Json = {"status": step.column}
        if step.top:
            cards = [card["id"] for card in (await self._board())["tasks"] if card["status"] == step.column]
            body |= {"before_id": cards[0]} if cards and cards[0] != scene.task_id else {}
        await performer.call("POST", f"/tasks/{scene.task_id}/move", body, key=key)

    async def _check(self, performer: Performer, scene: Scene, _step: Step, key: str) -> None:
        """Check the first line off that is open."""
        lines = (await performer.call("GET", f"/tasks/{scene.task_id}"))["checklist"]
        line = next((line for line in lines if not line["done"]), None)
        if line is not None:
            line["done"] = True
            await performer.call("PATCH", f"/tasks/{scene.task_id}", {"checklist": lines}, key=key)

    async def _change(self, performer: Performer, scene: Scene, step: Step, key: str) -> None:
        body: Json = {}
        if step.title is not None:
            body["title"] = step.title
        if step.priority is not None:
            body["priority"] = step.priority.value
        if step.labels is not None:
            body["label_ids"] = self._label_ids(step.labels)
        if step.due is not None:
            body["due"] = due_day(step.due, utc_now())
        await performer.call("PATCH", f"/tasks/{scene.task_id}", body, key=key)

    async def _trash(self, performer: Performer, scene: Scene, _step: Step, key: str) -> None:
        await performer.call("DELETE", f"/tasks/{scene.task_id}", key=key)

    async def _restore(self, performer: Performer, scene: Scene, _step: Step, key: str) -> None:
        await performer.call("POST", f"/tasks/{scene.task_id}/restore", key=key)

    async def _tidy_up(self) -> None:
        """Put what the day made into the trash, and what is done beyond the usual back to the beginning."""
        board = self._content.projects[0]
        first, done = board.columns[0].key, next(column.key for column in board.columns if column.is_done)
        titles = tuple(story.new.title for story in self._content.day.stories if story.new is not None)
        cards = (await self._board())["tasks"]
        finished = [card for card in cards if card["status"] == done and not card["title"].startswith(titles)]
        finished.sort(key=lambda card: str(card["updated_at"]))
        usual = sum(1 for card in board.tasks if card.column == done)
        for card in cards:
            if card["title"].startswith(titles):
                await self._play(Scene(card["id"], [Step(who=self._first.name, do="trash")]))
        for card in finished[: max(0, len(finished) - usual)]:
            await self._play(Scene(card["id"], [Step(who=self._first.name, do="move", column=first)]))

    def _label_ids(self, names: tuple[str, ...]) -> list[str]:
        return [self._labels[name] for name in names if name in self._labels]


def _new_key() -> str:
    return f"demo-{secrets.token_hex(8)}"
