"""When a notification is mailed, and in which mail it was.

Revision: 0008; after 0007. What is unread from before is not mailed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("mail_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notifications", sa.Column("digest_id", sa.Uuid(), nullable=True))
    due = sa.text("mail_at IS NOT NULL AND read_at IS NULL AND archived_at IS NULL AND snoozed_until IS NULL")
    op.create_index("ix_notifications_mail_at", "notifications", ["mail_at"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_notifications_mail_at", "notifications")
    for column in ("digest_id", "mail_at"):
        op.drop_column("notifications", column)
