"""Browser push: the devices, one row for each on its way, projects that hide their titles.

Revision: 0004; after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("hide_titles_in_push", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.String(length=200), nullable=False),
        sa.Column("auth", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_push_subscriptions_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_push_subscriptions_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_push_subscriptions"),
        sa.UniqueConstraint("digest", name="uq_push_subscriptions_digest"),
    )
    for column in ("user_id", "session_id"):
        op.create_index(f"ix_push_subscriptions_{column}", "push_subscriptions", [column])
    with op.batch_alter_table("push_deliveries") as deliveries:
        deliveries.alter_column("notification_id", existing_type=sa.Uuid(), nullable=True)
        deliveries.add_column(sa.Column("subscription_id", sa.Uuid(), nullable=True))
        deliveries.create_foreign_key(
            "fk_push_deliveries_subscription_id",
            "push_subscriptions",
            ["subscription_id"],
            ["id"],
            ondelete="CASCADE",
        )
        deliveries.create_index("ix_push_deliveries_subscription_id", ["subscription_id"])


def downgrade() -> None:
    op.execute("DELETE FROM push_deliveries WHERE notification_id IS NULL")
    with op.batch_alter_table("push_deliveries") as deliveries:
        deliveries.drop_index("ix_push_deliveries_subscription_id")
        deliveries.drop_constraint("fk_push_deliveries_subscription_id", type_="foreignkey")
        deliveries.drop_column("subscription_id")
        deliveries.alter_column("notification_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_table("push_subscriptions")
    op.drop_column("projects", "hide_titles_in_push")
