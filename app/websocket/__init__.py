"""Realtime: rooms that follow a project's log, and connections that are cursors in them."""
