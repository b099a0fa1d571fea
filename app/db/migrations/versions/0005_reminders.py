"""Reminders that were sent, and a way to the tasks that are due.

Revision: 0005; after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_reminders",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("due", sa.String(length=24), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sent_reminders_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_sent_reminders_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "task_id", name="pk_sent_reminders"),
    )
    op.create_index("ix_sent_reminders_task_id", "sent_reminders", ["task_id"])
    # Whoever never heard of what is due is not told of all of it at once.
    op.execute(
        "INSERT INTO sent_reminders (user_id, task_id, due, moment) "
        "SELECT assigned.user_id, tasks.id, tasks.due, CURRENT_TIMESTAMP FROM tasks "
        "JOIN task_assignees AS assigned ON assigned.task_id = tasks.id WHERE tasks.due IS NOT NULL"
    )
    due = sa.text("due IS NOT NULL")
    op.create_index("ix_tasks_due", "tasks", ["due"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_tasks_due", "tasks")
    op.drop_table("sent_reminders")
