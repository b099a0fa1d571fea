"""Time to DO: a self-hosted task board in which every change is on every screen at once."""

__version__ = "0.1.0"
