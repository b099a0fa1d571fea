"""Notifications: the inbox, the stream that tells of it, how everybody wants it, what is on its way to devices.

Revision: 0003; after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("notice_epoch", sa.String(length=16), server_default="1", nullable=False))
    op.add_column("users", sa.Column("notice_seq", _SEQ, server_default="0", nullable=False))
    op.add_column("users", sa.Column("notice_floor", _SEQ, server_default="0", nullable=False))
    _create_inbox()
    _create_wishes()
    _create_deliveries()


def downgrade() -> None:
    for table in (
        "push_deliveries",
        "project_watches",
        "task_watches",
        "notification_settings",
        "notices",
        "notifications",
    ):
        op.drop_table(table)
    for column in ("notice_floor", "notice_seq", "notice_epoch"):
        op.drop_column("users", column)


def _create_inbox() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("comment_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("change_count", sa.Integer(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        _reference("notifications", "user_id", "users"),
        _reference("notifications", "project_id", "projects"),
        _reference("notifications", "task_id", "tasks"),
        _reference("notifications", "comment_id", "comments", ondelete="SET NULL"),
        _reference("notifications", "actor_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    for column in ("project_id", "task_id", "comment_id", "actor_id", "created_at"):
        op.create_index(f"ix_notifications_{column}", "notifications", [column])
    op.create_index("ix_notifications_inbox", "notifications", ["user_id", "updated_at", "id"])
    unread, snoozed = sa.text("read_at IS NULL"), sa.text("snoozed_until IS NOT NULL")
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id", "task_id"],
        sqlite_where=unread,
        postgresql_where=unread,
    )
    op.create_index(
        "ix_notifications_snoozed", "notifications", ["snoozed_until"], sqlite_where=snoozed, postgresql_where=snoozed
    )
    op.create_table(
        "notices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        _reference("notices", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", "seq", name="pk_notices"),
    )
    op.create_index("ix_notices_timestamp", "notices", ["timestamp"])


def _create_wishes() -> None:
    op.create_table(
        "notification_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        _reference("notification_settings", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name="pk_notification_settings"),
    )
    op.create_table(
        "task_watches",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        _reference("task_watches", "task_id", "tasks"),
        _reference("task_watches", "user_id", "users"),
        sa.PrimaryKeyConstraint("task_id", "user_id", name="pk_task_watches"),
    )
    op.create_index("ix_task_watches_user_id", "task_watches", ["user_id"])
    op.create_table(
        "project_watches",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _reference("project_watches", "project_id", "projects"),
        _reference("project_watches", "user_id", "users"),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_project_watches"),
    )
    op.create_index("ix_project_watches_user_id", "project_watches", ["user_id"])


def _create_deliveries() -> None:
    op.create_table(
        "push_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _reference("push_deliveries", "user_id", "users"),
        _reference("push_deliveries", "notification_id", "notifications"),
        sa.PrimaryKeyConstraint("id", name="pk_push_deliveries"),
    )
    for column in ("user_id", "notification_id", "due_at"):
        op.create_index(f"ix_push_deliveries_{column}", "push_deliveries", [column])


def _reference(table: str, column: str, to: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}", ondelete=ondelete)
