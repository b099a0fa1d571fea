"""The write path as the tutorials have it: FastAPI, SQLAlchemy's ORM with an async session, aiosqlite or asyncpg.

`POST /tasks` does what ours does and no more than it must: who is it (JWT, user row), may they (membership), the task
with the project's next number, the event with the project's next seq, commit, refresh, answer. SQLite as safe as ours:
WAL, `synchronous=FULL`, `BEGIN IMMEDIATE`. Started with `PORT CONTROL_PORT DATABASE_URL`; nothing comes by the control
port, it only shows that the tables are there.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, ForeignKey, UniqueConstraint, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime

from benchmarks.servers.common import listen_for_events

SECRET = "a secret for servers that are only measured"
PROJECT = UUID("00000000-0000-4000-8000-000000000001")
PEOPLE = [UUID(int=1000 + number) for number in range(16)]


class Base(DeclarativeBase):
    """Base of the tables."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON}


class User(Base):
    """A person."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Project(Base):
    """A project, with the newest number of a task and of an event."""

    __tablename__ = "projects"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    last_task_number: Mapped[int] = mapped_column(default=0)
    event_seq: Mapped[int] = mapped_column(default=0)


class Member(Base):
    """Who may do what."""

    __tablename__ = "members"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]


class Task(Base):
    """A card."""

    __tablename__ = "tasks"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="todo")
    priority: Mapped[str] = mapped_column(default="none")
    position: Mapped[str] = mapped_column(default="a0")
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class Event(Base):
    """A row of the log."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("project_id", "seq"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    seq: Mapped[int]
    type: Mapped[str]
    user_id: Mapped[UUID]
    timestamp: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    data: Mapped[dict[str, Any]]


class TaskCreate(BaseModel):
    """A new task."""

    project_id: UUID
    title: str
    description: str = ""


class TaskOut(BaseModel):
    """A task as the answer shows it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    number: int
    title: str
    description: str
    status: str
    priority: str
    position: str
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime


engine = create_async_engine(sys.argv[3] if len(sys.argv) > 3 else "sqlite+aiosqlite://")
new_session = async_sessionmaker(engine, expire_on_commit=True)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        """Make commits durable and writers patient."""
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        """Take the writer's place at once: a deferred begin ends in "database is locked"."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give a request its session."""
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_user(session: Session, authorization: Annotated[str, Header()]) -> User:
    """Find out who asks."""
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    user = await session.get(User, UUID(claims["sub"]))
    if user is None:
        raise HTTPException(401)
    return user


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables and the people."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    async with new_session.begin() as session:
        session.add(Project(id=PROJECT, name="Crowd"))
        session.add_all(User(id=id_, name=str(id_)) for id_ in PEOPLE)
        await session.flush()
        session.add_all(Member(project_id=PROJECT, user_id=id_, role="editor") for id_ in PEOPLE)
    async with await listen_for_events(int(sys.argv[2]), nothing):
        yield
    await engine.dispose()


async def nothing(room: str, seq: int) -> None:
    """Publish nothing: only writing is measured here."""


app = FastAPI(lifespan=lifespan)


@app.post("/tasks", status_code=201)
async def create_task(body: TaskCreate, session: Session, user: Annotated[User, Depends(get_user)]) -> TaskOut:
    """Create a task."""
    member = await session.get(Member, (body.project_id, user.id))
    if member is None or member.role not in {"editor", "owner"}:
        raise HTTPException(404)
    statement = select(Project).where(Project.id == body.project_id).with_for_update()
    project = (await session.execute(statement)).scalar_one()
    project.last_task_number += 1
    project.event_seq += 1
    task = Task(**body.model_dump(), number=project.last_task_number, created_by=user.id)
    session.add(task)
    await session.flush()
    data = TaskOut.model_validate(task).model_dump(mode="json")
    record = Event(project_id=project.id, seq=project.event_seq, type="task_created", user_id=user.id, data=data)
    session.add(record)
    await session.commit()
    await session.refresh(task)
    return TaskOut.model_validate(task)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
