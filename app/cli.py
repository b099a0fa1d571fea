"""The command `timetodo`: serve | migrate | demo | user | doctor | backup | restore."""

import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

import app as package
from app import logs, startup
from app.api.context import ADMIN_CODE_FILE
from app.config import LOOPBACK, Settings
from app.db import backup as backups
from app.db.engine import check_url
from app.db.unit_of_work import Database
from app.demo import fill
from app.demo.content import load_content
from app.demo.performer import Address
from app.demo.player import Player
from app.demo.stage import playing
from app.doctor import diagnose
from app.errors import AppError
from app.schemas.users import Register
from app.security import Passwords
from app.services import admin, outbox, passwords, projects, users

Result = TypeVar("Result")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user_commands = typer.Typer(no_args_is_help=True, help="Make and manage accounts.")
cli.add_typer(user_commands, name="user")

DataOption = Annotated[Path | None, typer.Option("--data", help="Data directory [env: TIMETODO_DATA_DIR]")]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [env: TIMETODO_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [env: TIMETODO_PORT]")] = None,
    data: DataOption = None,
    reload: Annotated[bool, typer.Option(help="Start anew when the code changes")] = False,
) -> None:
    """Bring the database up to date and serve the board."""
    settings = read_settings(host=host, port=port, data_dir=data)
    logs.configure(settings.log_level, as_json=settings.log_json)
    startup.check_port(settings.host, settings.port)
    asyncio.run(startup.prepare(settings))
    typer.echo(f"Time to DO {package.__version__} on {settings.base_url}  (data in {settings.data_dir})")
    _print_first_steps(settings)
    startup.serve(settings, reload=reload)


@cli.command()
def demo(
    host: Annotated[str | None, typer.Option(help="Address to listen on [env: TIMETODO_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [env: TIMETODO_PORT]")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the demo; default: <data directory>-demo")] = None,
    play: Annotated[bool, typer.Option("--play", help="Let three people work on the board, so that it lives")] = False,
    minutes: Annotated[float | None, typer.Option(min=0, help="With --play: stop playing after so long")] = None,
) -> None:
    """Serve an example board in a directory of its own; a real one is never touched."""
    settings = _demo_settings(host, port, data)
    logs.configure(settings.log_level, as_json=settings.log_json)
    startup.check_port(settings.host, settings.port)
    content = load_content()
    fill.claim(settings.data_dir)
    accounts = _with_database(settings, lambda database: fill.prepare(database, content))
    asyncio.run(startup.prepare(settings))
    typer.echo(f"Time to DO {package.__version__} with an example board on {settings.base_url}")
    typer.echo(f"(data in {settings.data_dir}). Sign in as one of these; the passwords are new at every start:\n")
    for account in accounts:
        typer.echo(f"    {account.person.email:<20} {account.password}   {account.person.name}")
    typer.echo("")
    address = Address.of(settings.host, settings.port)
    with playing(Player(content, accounts, address), minutes=minutes) if play else nullcontext():
        startup.serve(settings)


@cli.command()
def migrate(data: DataOption = None) -> None:
    """Bring the database to the current schema."""
    settings = read_settings(data_dir=data)
    asyncio.run(startup.migrate(settings))
    typer.echo("the database is up to date")


@cli.command()
def doctor(data: DataOption = None) -> None:
    """Check that everything the server needs is there and works."""
    settings = read_settings(data_dir=data)
    problems = asyncio.run(diagnose(settings))
    for name, problem in problems.items():
        typer.echo(f"{'ok  ' if problem is None else 'FAIL'} {name}{'' if problem is None else ': ' + problem}")
    if any(problems.values()):
        raise typer.Exit(1)


@cli.command()
def backup(to: Path, data: DataOption = None) -> None:
    """Copy the SQLite database into a new file and check it; the server may run."""
    backups.back_up(read_settings(data_dir=data), to)
    typer.echo(f"{to}: complete and sound")


@cli.command()
def restore(
    source: Annotated[Path | None, typer.Argument(help="A file that `timetodo backup` made")] = None,
    renew_epochs: Annotated[
        bool, typer.Option("--renew-epochs", help="Without a file: after restoring a database by its own tools")
    ] = False,
    data: DataOption = None,
) -> None:
    """Put a backup in the database's place, with every server stopped, so that clients read their boards anew."""
    if (source is None) is not renew_epochs:
        sys.exit("timetodo: name the file of a backup, or --renew-epochs alone")
    settings = read_settings(data_dir=data)
    kept = backups.restore(settings, source) if source is not None else None
    asyncio.run(startup.migrate(settings))
    _with_database(settings, _renew_epochs)
    typer.echo("restored; clients will read their boards anew" + (f". The old database is {kept}" if kept else ""))


async def _renew_epochs(database: Database) -> None:
    async with database.write() as uow:
        await projects.renew_epochs(uow)
        await outbox.forget_all(uow)


@user_commands.command("add")
def add_user(
    email: str,
    name: Annotated[str, typer.Option(prompt=True)],
    admin: Annotated[bool, typer.Option(help="An administrator of the server")] = False,
    data: DataOption = None,
) -> None:
    """Make an account with a random password, printed once."""
    password = secrets.token_urlsafe(12)

    async def add(database: Database) -> None:
        body = Register(email=email, name=name, password=password)
        password_hash = await Passwords().hash(password)
        async with database.write() as uow:
            await users.insert_user(uow, body, password_hash, is_admin=admin)

    _with_database(read_settings(data_dir=data), add)
    typer.echo(f"{email}: password {password} (shown once)")


@user_commands.command("password")
def reset_password(email: str, data: DataOption = None) -> None:
    """Set a random password, printed once, and end every session of the account."""
    password = secrets.token_urlsafe(12)

    async def reset(database: Database) -> None:
        async with database.read() as uow:
            user = await users.find_by_email(uow, email)
        await passwords.assign(database, Passwords(), user.id, password)

    _with_database(read_settings(data_dir=data), reset)
    typer.echo(f"{email}: password {password} (shown once); every session has ended")


@user_commands.command("deactivate")
def deactivate_user(email: str, data: DataOption = None) -> None:
    """Keep an account out; what it did stays."""
    _set_active(read_settings(data_dir=data), email, active=False)
    typer.echo(f"{email} can no longer sign in")


@user_commands.command("activate")
def activate_user(email: str, data: DataOption = None) -> None:
    """Let an account in again."""
    _set_active(read_settings(data_dir=data), email, active=True)
    typer.echo(f"{email} can sign in")


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(package.__version__)


def read_settings(**given: Any) -> Settings:
    """Return the settings; what the command line gives wins, also for processes started from this one."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"TIMETODO_{name.upper()}"] = str(value)
    try:
        settings = Settings()
        check_url(settings.resolved_database_url)
    except ValidationError as error:
        told = [_tell_setting(item) for item in error.errors(include_url=False, include_input=False)]
        sys.exit("\n".join(["timetodo: the settings are not right", *told]))
    except ValueError as error:
        sys.exit(f"timetodo: the settings are not right\n{error}")
    return settings


def main() -> None:
    """Run the command; a refusal is a sentence, not a traceback."""
    try:
        cli()
    except AppError as error:
        sys.exit(f"timetodo: {error.detail}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        sys.exit(f"timetodo: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    except OSError as error:
        sys.exit(f"timetodo: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")


def _tell_setting(item: Any) -> str:
    """Return what is wrong, with the name of the variable."""
    name, message = "".join(str(part).upper() for part in item["loc"][:1]), item["msg"].removeprefix("Value error, ")
    return message if message.startswith("TIMETODO_") else f"TIMETODO_{name}: {message}"


def _demo_settings(host: str | None, port: int | None, data: Path | None) -> Settings:
    """Return the settings with a data directory of the demo's own, no database or Redis that others use, no mail."""
    for name in list(os.environ):
        if name in {"TIMETODO_DATABASE_URL", "TIMETODO_REDIS_URL"} or name.startswith("TIMETODO_SMTP_"):
            del os.environ[name]
    usual = read_settings(host=host, port=port).data_dir
    return read_settings(data_dir=data or usual.with_name(f"{usual.name}-demo"))


def _print_first_steps(settings: Settings) -> None:
    code_file = settings.data_dir / ADMIN_CODE_FILE
    if code_file.exists():
        typer.echo(f"No account yet. Open {settings.base_url} and make the administrator's with this one-time code:")
        typer.echo(f"\n    {code_file.read_text().strip()}\n")
    if settings.public_url is None and settings.host not in LOOPBACK:
        typer.echo("Other computers can reach this server, but their browsers are refused until you set")
        typer.echo("TIMETODO_PUBLIC_URL to the address they use, such as http://board.example.org:8000\n")


def _set_active(settings: Settings, email: str, *, active: bool) -> None:
    async def change(database: Database) -> None:
        async with database.write() as uow:
            user = await users.find_by_email(uow, email)
            await admin.set_active(uow, user.id, active=active)

    _with_database(settings, change)


def _with_database(settings: Settings, use: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run one piece of work on an up-to-date database."""

    async def run() -> Result:
        await startup.migrate(settings)
        return await startup.use_database(settings, use)

    return asyncio.run(run())
