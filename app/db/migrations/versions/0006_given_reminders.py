"""Which reminder somebody was given, not when; and when everybody was last reminded.

Revision: 0006; after 0005.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sent_reminders") as sent:
        sent.alter_column("moment", new_column_name="since", existing_type=sa.DateTime(timezone=True))
        sent.add_column(sa.Column("told_min", sa.Integer(), nullable=True))
    looks = op.create_table(
        "reminder_looks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reminder_looks"),
    )
    op.bulk_insert(looks, [{"id": 1, "looked_at": datetime(1970, 1, 1, tzinfo=UTC)}])


def downgrade() -> None:
    op.drop_table("reminder_looks")
    with op.batch_alter_table("sent_reminders") as sent:
        sent.drop_column("told_min")
        sent.alter_column("since", new_column_name="moment", existing_type=sa.DateTime(timezone=True))
