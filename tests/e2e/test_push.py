"""Push as the service worker and the page have it: shown, clicked, taken away, in the browser that people use."""

import asyncio
import json
from typing import Any
from urllib.parse import urlparse

from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import SignIn, browser_fixture
from tests.e2e.test_kept_page import READY
from tests.support.people import Json
from tests.support.realtime import eventually_found
from tests.support.site import Account

#: Before that nothing can be delivered to it.
ACTIVATED = """navigator.serviceWorker.ready.then(({ active }) => new Promise((done) => {
    if (active.state === 'activated') done();
    else active.addEventListener('statechange', () => active.state === 'activated' && done());
}))"""
#: Chromium forgets a notification if somebody asks for those that are shown while it is being shown: one at a time.
IN_TURN = """() => {
    const { registration } = self;
    const show = registration.showNotification.bind(registration);
    let turn = Promise.resolve();
    const next = (work) => (turn = turn.then(work));
    registration.showNotification = (...what) => next(() => show(...what));
    self.shown = () => next(() => registration.getNotifications());
}"""
#: Resolves to what is shown, once it has just these tags.
SHOWN = """(tags) => new Promise(async (done) => {
    const look = async () => {
        const all = await self.shown();
        if (all.map(({ tag }) => tag).sort().join() === tags.join())
            done(all.map(({ title, body }) => ({ title, body })));
        else setTimeout(look, 20);
    };
    await look();
})"""
#: Has one notification be shown slowly and fail, and notes how many are being shown at once.
SLOW = """() => {
    const { registration } = self;
    const show = registration.showNotification;
    let now = 0;
    self.most = 0;
    registration.showNotification = async (title, options) => {
        self.most = Math.max(self.most, ++now);
        await new Promise((done) => setTimeout(done, 50));
        now--;
        if (options.tag === 'first') throw new Error('not shown');
        await show(title, options);
    };
}"""
CLICK = """async (action) => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action }));
}"""
DEADLINE_S = 10


class Pushed:
    """A page whose service worker gets pushes as from the browser's push service."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def start(self) -> None:
        """Wait for the service worker, and find its registration."""
        await expect(self.page.get_by_role("heading", level=1, name="My work")).to_be_visible()
        await self.page.evaluate(READY)
        await self.page.evaluate(ACTIVATED)
        self.worker = self.page.context.service_workers[0]
        await self.worker.evaluate(IN_TURN)
        self.cdp = await self.page.context.new_cdp_session(self.page)
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note(event: dict[str, Any]) -> None:
            for one in event["registrations"]:
                if not found.done() and not one["isDeleted"]:
                    found.set_result(one["registrationId"])

        self.cdp.on("ServiceWorker.workerRegistrationUpdated", note)
        await self.cdp.send("ServiceWorker.enable")
        self.registration = await asyncio.wait_for(found, DEADLINE_S)

    async def deliver(self, payload: Json) -> None:
        """Hand a message to the service worker, decrypted as the browser does."""
        url = self.page.url.split("/", 3)
        await self.cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": "/".join(url[:3]), "registrationId": self.registration, "data": json.dumps(payload)},
        )

    async def shows(self, *tags: str) -> list[Json]:
        """Wait until just these notifications are shown; return them."""
        async with asyncio.timeout(DEADLINE_S):
            shown: list[Json] = await self.worker.evaluate(SHOWN, sorted(tags))
        return shown

    async def click(self, action: str = "") -> None:
        """Press the notification, or one of its buttons."""
        await self.worker.evaluate(CLICK, action)


@browser_fixture
async def pushed(sign_in: SignIn, anna: Account) -> Pushed:
    """Anna's page, which may show notifications."""
    pushed = Pushed(await sign_in(anna, permissions=["notifications"]))
    await pushed.start()
    return pushed


def show(task: Json, tag: str) -> Json:
    """What the server sends of a mention."""
    return {
        "type": "show",
        "tag": tag,
        "title": "Boris mentioned you",
        "body": f"{task['key']} {task['title']}",
        "url": f"/t/{task['key']}",
        "task_id": task["id"],
        "actions": [{"action": "open", "title": "Open"}, {"action": "read", "title": "Mark as read"}],
    }


async def unread_id(anna: Account) -> str:
    """Return the id of Anna's only notification, which is unread."""
    (item,) = (await anna.call("GET", "/notifications?filter=unread"))["items"]
    return str(item["id"])


async def all_read(anna: Account) -> None:
    """Wait until Anna has nothing unread."""
    await eventually_found(
        lambda: anna.call("GET", "/notifications?filter=unread"),
        lambda inbox: not inbox["unread"],
        deadline_s=DEADLINE_S,
    )


async def test_a_push_is_shown_and_leads_to_its_card(
    pushed: Pushed, anna: Account, boris: Account, project: Json
) -> None:
    """Title, body and buttons are shown; a press opens the card in the window there is, and what it told of is read."""
    task = await boris.task(project, "Plan the launch", description="@Anna look")
    tag = await unread_id(anna)
    await pushed.deliver(show(task, tag))
    (shown,) = await pushed.shows(tag)
    assert shown["title"] == "Boris mentioned you"
    assert shown["body"] == f"{task['key']} Plan the launch"
    await pushed.click()
    await expect(pushed.page.get_by_role("dialog", name="Plan the launch")).to_be_visible()
    await pushed.shows()
    await expect(pushed.page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
    await all_read(anna)


async def test_read_is_marked_without_opening(pushed: Pushed, anna: Account, boris: Account, project: Json) -> None:
    """The second button marks it read and leaves the page where it is."""
    task = await boris.task(project, "Plan the launch", description="@Anna look")
    tag = await unread_id(anna)
    await pushed.deliver(show(task, tag))
    await pushed.shows(tag)
    async with pushed.page.expect_response(lambda answer: answer.request.method == "PATCH") as answer:
        await pushed.click("read")
    assert (await answer.value).ok
    await expect(pushed.page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await all_read(anna)


async def test_what_was_read_elsewhere_is_taken_away(pushed: Pushed, boris: Account, project: Json) -> None:
    """A `close` takes away the notification it names and no other; what makes no sense does nothing."""
    task = await boris.task(project, "Plan the launch")
    for tag in ("first", "second"):
        await pushed.deliver(show(task, tag))
    await pushed.shows("first", "second")
    await pushed.deliver({"type": "teleport", "tag": "second"})
    await pushed.deliver({"type": "close", "tag": "first"})
    await pushed.shows("second")


async def test_pushes_are_served_one_after_the_other(pushed: Pushed, boris: Account, project: Json) -> None:
    """The second of two waits for the first, and is shown also where that could not be."""
    task = await boris.task(project, "Plan the launch")
    await pushed.worker.evaluate(SLOW)
    for tag in ("first", "second"):
        await pushed.deliver(show(task, tag))
    await pushed.shows("second")
    assert await pushed.worker.evaluate("self.most") == 1


async def test_nothing_is_shown_of_the_card_one_looks_at(pushed: Pushed, boris: Account, project: Json) -> None:
    """Whoever has the very card before them is not told of it; of another they are."""
    task = await boris.task(project, "Plan the launch")
    other = await boris.task(project, "Something else")
    await pushed.page.goto(f"/t/{task['key']}")
    await expect(pushed.page.get_by_role("dialog", name="Plan the launch")).to_be_visible()
    await pushed.deliver(show(task, "looked-at"))
    await pushed.deliver(show(other, "other"))
    await pushed.shows("other")


async def test_says_why_there_can_be_no_push(sign_in: SignIn, anna: Account) -> None:
    """Where the browser was told no, the profile says how to change that, and has no button that cannot work."""
    page = await sign_in(anna)
    await expect(page.get_by_role("heading", level=1, name="My work")).to_be_visible()
    await page.evaluate(READY)
    answers = {"key": {"public_key": "key"}, "devices": {"items": [], "next_cursor": None}}
    pretended = set()

    async def pretend(route: Route) -> None:
        what = urlparse(route.request.url).path.rpartition("/")[2]
        pretended.add(what)
        await route.fulfill(json=answers[what])

    await page.route("**/api/v1/push/*", pretend)
    await page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    await page.goto("/profile")
    push = page.get_by_role("region", name="Push on this device")
    await expect(push.get_by_text("has been told not to show notifications")).to_be_visible()
    await expect(push.get_by_role("button", name="Turn on here")).to_have_count(0)
    assert pretended == answers.keys()  # of a page with a service worker a test may miss what it asks for
