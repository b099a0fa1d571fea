"""Who waits for an answer: work that can be put off asks, and gives way."""


class Demand:
    """Counts the requests that are not answered yet. One per server."""

    def __init__(self) -> None:
        self.waiting = 0

    def begin(self) -> None:
        """Somebody waits."""
        self.waiting += 1

    def end(self) -> None:
        """Somebody is answered."""
        self.waiting -= 1
