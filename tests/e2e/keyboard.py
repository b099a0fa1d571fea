"""A keyboard with a layout: the same keys say Latin or Cyrillic letters."""

from playwright.async_api import CDPSession, Page

LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбю"
CODES = dict(zip(",.[];'", ("Comma", "Period", "BracketLeft", "BracketRight", "Semicolon", "Quote"), strict=True))
SIGNS = {"<": ",", ">": ".", "?": "/"}
SHIFT, CTRL = 8, 2


class Keyboard:
    """Presses keys by their place, as hands do; what they say is the layout's business."""

    def __init__(self, page: Page, session: CDPSession, *, cyrillic: bool) -> None:
        self._page = page
        self._session = session
        self._cyrillic = cyrillic

    @classmethod
    async def of(cls, page: Page, *, cyrillic: bool = False) -> "Keyboard":
        """Return the keyboard of a window."""
        return cls(page, await page.context.new_cdp_session(page), cyrillic=cyrillic)

    async def press(self, *keys: str) -> None:
        """Press one after another: `C`, `Shift+X`, `Ctrl+K`, `>`; anything longer is a named key."""
        for key in keys:
            *modifiers, name = key.split("+") if len(key) > 1 else [key]
            place = SIGNS.get(name, name.lower())
            if place in LATIN or place == "/":
                await self._press(place, name in SIGNS or "Shift" in modifiers, ctrl="Ctrl" in modifiers)
            else:
                await self._page.keyboard.press(key)

    async def _press(self, place: str, shift: bool, *, ctrl: bool) -> None:
        said = CYRILLIC[LATIN.index(place)] if self._cyrillic and place in LATIN else place
        if shift:
            said = {",": "<", ".": ">", "/": "," if self._cyrillic else "?"}.get(said, said.upper())
        code = "Slash" if place == "/" else CODES.get(place, f"Key{place.upper()}")
        event = {"key": said, "code": code, "modifiers": SHIFT * shift + CTRL * ctrl}
        text = {} if ctrl else {"text": said}
        await self._session.send("Input.dispatchKeyEvent", {"type": "keyDown", **event, **text})
        await self._session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
