"""Whether a session still lets somebody in: one rule, for requests, for sockets and for the sweep that ends them."""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_

from app.models import Session, User


def is_good(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition that a session is open and its user may do things, in a SELECT of both tables."""
    return and_(User.id == Session.user_id, User.is_active, Session.ended_at.is_(None), Session.expires_at > now)
