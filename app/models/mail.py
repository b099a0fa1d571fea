"""Mails on their way, and the links in them that open something."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key


class OutgoingMail(Base):
    """A mail to be written and sent; `data` is JSON of what its kind needs, never a token.

    `next_at` is when it is due, `leased_until` until when a server is at it, `expires_at` when it is too late.
    """

    __tablename__ = "mail_outbox"

    id: Mapped[Key]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(320), index=True)
    language: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(20))
    data: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    next_at: Mapped[datetime] = mapped_column(index=True)
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class MailUse(Base):
    """That somebody had a mail sent, or was to be sent one; `who` is a digest, which says what is counted, too."""

    __tablename__ = "mail_uses"

    id: Mapped[Key]
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]

    __table_args__ = (Index("ix_mail_uses_who", "who", "at"),)


class PasswordReset(Base):
    """A mailed link that sets a new password, once; kept as the digest of its token."""

    __tablename__ = "password_resets"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
