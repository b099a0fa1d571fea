"""How often somebody caused mails, for all servers to count.

Revision: 0009; after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_uses",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_mail_uses_who", "mail_uses", ["who", "at"])


def downgrade() -> None:
    op.drop_table("mail_uses")
