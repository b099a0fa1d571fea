"""What every table shares: the metadata, its naming rules, and column types that behave alike on both databases."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, String, Text, Uuid, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def only_where(condition: str) -> dict[str, Any]:
    """Return the options of an index over the few rows for which `condition` holds: it costs the others nothing."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which knows no time zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; SQLite gets the UTC wall clock."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"naive time: {value!r}"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Id(TypeDecorator[UUID]):
    """A plain `uuid.UUID`: asyncpg's own kind of it cannot be written as JSON."""

    impl = Uuid()
    cache_ok = True

    def process_result_value(self, value: UUID | None, dialect: Dialect) -> UUID | None:
        """Never the driver's subclass."""
        del dialect
        return value if value is None or type(value) is UUID else UUID(int=value.int)


class Base(DeclarativeBase):
    """The mapping of all tables. Rows are read and written by statements; there is no identity map."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), UUID: Id()}


BY_CODE_POINT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text ordered by code point on both databases, whatever the locale."""

Seq = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"))]
Key = Annotated[UUID, mapped_column(primary_key=True)]
Name = Annotated[str, mapped_column(String(200))]
Position = Annotated[str, mapped_column(BY_CODE_POINT)]
