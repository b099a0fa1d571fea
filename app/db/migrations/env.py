"""Alembic's entry: runs on the connection that `app.db.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from app.models import Base
from app.models.base import Id, UtcDateTime


def _render(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Write migrations in SQLAlchemy's own types, so that they outlive ours."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return "sa.Uuid()" if kind == "type" and isinstance(item, Id) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    render_item=_render,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
