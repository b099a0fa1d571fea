"""The archive, the way back for comments, mentions, search, the activity of a task, saved views.

Columns are added as they are, not by copying the table: dropping the old one would take everything that refers to it.

Revision: 0002; after 0001.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.domain.folding import fold

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1000
_TASKS = sa.table("tasks", sa.column("id"), sa.column("title"), sa.column("description"), sa.column("search_text"))
_COMMENTS = sa.table("comments", sa.column("id"), sa.column("body"), sa.column("search_text"))


def upgrade() -> None:
    archived, deleted = sa.text("archived_at IS NOT NULL"), sa.text("deleted_at IS NOT NULL")
    op.add_column("tasks", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_tasks_archive",
        "tasks",
        ["project_id", "archived_at", "id"],
        sqlite_where=archived,
        postgresql_where=archived,
    )
    # The index of the trash had every task that is not in it, and SQLite took it for the way to a project's tasks.
    op.drop_index("ix_tasks_trash", "tasks")
    op.create_index("ix_tasks_trash", "tasks", ["deleted_at"], sqlite_where=deleted, postgresql_where=deleted)
    op.add_column("comments", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("comments", sa.Column("deleted_by", sa.Uuid(), nullable=True))
    op.add_column("comments", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_comments_trash", "comments", ["deleted_at"], sqlite_where=deleted, postgresql_where=deleted)
    op.add_column("events", sa.Column("task_id", sa.Uuid(), nullable=True))
    _create_tables()
    _fill()
    op.create_index("ix_events_task", "events", ["task_id", "seq"])


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_table("mentions")
    op.drop_index("ix_events_task", "events")
    op.drop_index("ix_comments_trash", "comments")
    op.drop_index("ix_tasks_archive", "tasks")
    op.drop_index("ix_tasks_trash", "tasks")
    op.create_index("ix_tasks_trash", "tasks", ["deleted_at"])
    op.execute("DELETE FROM comments WHERE deleted_at IS NOT NULL")
    op.drop_column("events", "task_id")
    for name in ("search_text", "deleted_by", "deleted_at"):
        op.drop_column("comments", name)
    for name in ("search_text", "archived_at"):
        op.drop_column("tasks", name)


def _create_tables() -> None:
    op.create_table(
        "mentions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name="fk_mentions_comment_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_mentions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "comment_id", name="pk_mentions"),
    )
    op.create_index("ix_mentions_comment_id", "mentions", ["comment_id"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_saved_views_project_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_saved_views_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
    )
    op.create_index("ix_saved_views_user_id", "saved_views", ["user_id"])
    op.create_index("ix_saved_views_project_id", "saved_views", ["project_id", "user_id", "id"])


def _fill() -> None:
    """Give old rows what new ones are written with."""
    _fold(_TASKS, lambda row: f"{fold(row.title)}\n{fold(row.description)}")
    _fold(_COMMENTS, lambda row: fold(row.body))
    about_a_task = r"type LIKE 'task\_%' ESCAPE '\' OR type LIKE 'comment\_%' ESCAPE '\'"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"UPDATE events SET task_id = replace(json_extract(data, '$.task_id'), '-', '') WHERE {about_a_task}"  # noqa: S608
        )
        op.execute(
            "INSERT INTO mentions (user_id, comment_id) SELECT DISTINCT users.id, comments.id FROM comments, "
            "json_each(comments.mentions) AS mention JOIN users ON users.id = replace(mention.value, '-', '')"
        )
    else:
        op.execute(f"UPDATE events SET task_id = (data::jsonb ->> 'task_id')::uuid WHERE {about_a_task}")  # noqa: S608
        op.execute(
            "INSERT INTO mentions (user_id, comment_id) SELECT DISTINCT users.id, comments.id FROM comments, "
            "jsonb_array_elements_text(comments.mentions::jsonb) AS mention JOIN users ON users.id = mention::uuid"
        )


def _fold(table: sa.TableClause, text_of: Callable[[Any], str]) -> None:
    bind = op.get_bind()
    rows = bind.execute(sa.select(table)).all()
    statement = sa.update(table).where(table.c.id == sa.bindparam("key")).values(search_text=sa.bindparam("text"))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        batch = rows[start : start + _ROWS_AT_ONCE]
        bind.execute(statement, [{"key": row.id, "text": text_of(row)} for row in batch])
