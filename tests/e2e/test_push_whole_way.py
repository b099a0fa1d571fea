"""Push the whole way: turned on in the page, sent encrypted, decrypted, shown, pressed; and subscribed to once more."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import expect

from tests.e2e.conftest import SignIn, browser_fixture
from tests.e2e.test_push import DEADLINE_S, Pushed, all_read
from tests.support.people import Json
from tests.support.push import PushService
from tests.support.realtime import eventually, eventually_found
from tests.support.site import Account, Site

#: The one thing no test can have is the browser maker's push service.
SUBSCRIBE = """(given) => {
    PushManager.prototype.subscribe = async function (options) {
        if (!options.userVisibleOnly || !options.applicationServerKey) throw new TypeError('not as it must be');
        return { toJSON: () => given };
    };
}"""
#: What the browser does when it has given up a subscription; no tool can make it do so.
CHANGE = """(given) => {
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        if (applicationServerKey !== 'the same') throw new TypeError('of another server');
        return { toJSON: () => given };
    };
    const oldSubscription = { options: { applicationServerKey: 'the same' } };
    self.dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), { oldSubscription }));
}"""


@browser_fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server that may push to this machine."""
    site = Site(tmp_path / "data", TIMETODO_PUSH_ALLOW_PRIVATE="true")
    await site.start()
    yield site
    site.stop()


async def test_a_mention_is_pushed_to_the_browser_and_leads_to_the_card(site: Site, sign_in: SignIn) -> None:
    """Only `subscribe` is replaced: what is shown is what the push service got and could decrypt.

    When the browser gives up its subscription, the service worker puts a new one in its place by itself.
    """
    service = PushService()
    await service.start()
    anna = await site.account("Anna")
    boris = await site.account("Boris")
    project = await anna.project("Website", boris)
    page = await sign_in(anna, permissions=["notifications"])
    pushed = Pushed(page)
    await pushed.start()
    await page.add_init_script(f"({SUBSCRIBE})({json.dumps(service.subscription())})")
    await page.goto("/profile")
    region = page.get_by_role("region", name="Push on this device")
    await region.get_by_role("button", name="Turn on here").click()
    await expect(region.get_by_text("On in this browser")).to_be_visible()
    await region.get_by_role("button", name="Send a test").click()
    await eventually(lambda: len(service.pushed) == 1)
    task = await boris.task(project, "Plan the launch", description="@Anna look")
    await eventually(lambda: len(service.pushed) == 2)
    got = service.pushed[1]
    await pushed.deliver(got)
    await pushed.shows(got["tag"])
    await pushed.click()
    await expect(page.get_by_role("dialog", name=task["title"])).to_be_visible()
    await all_read(anna)
    await page.context.service_workers[0].evaluate(CHANGE, service.subscription("again"))
    device = await second_device(anna)
    await anna.call("POST", f"/push/devices/{device['id']}/test")
    await eventually(lambda: service.requests[-1]["path"] == "/send/again")
    await service.stop()


async def second_device(anna: Account) -> Json:
    """Wait until a browser of Anna's has subscribed again; return the device."""
    devices = await eventually_found(
        lambda: anna.call("GET", "/push/devices"), lambda found: len(found["items"]) == 2, deadline_s=DEADLINE_S
    )
    device: Json = devices["items"][1]
    return device
