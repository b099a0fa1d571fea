"""Who may do what in a project: one table, asked by REST, WebSocket and SSE alike.

A role holds every right of the roles below it. A signed-in or anonymous person without a role may read a public
project and nothing else; a private project does not exist for them.
"""

from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """A member's role, from all rights to reading only."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    COMMENTER = "commenter"
    VIEWER = "viewer"


class Visibility(StrEnum):
    """Who may read a project without being its member."""

    PRIVATE = "private"
    PUBLIC = "public"


class _Rank(IntEnum):
    PUBLIC = 0
    VIEWER = 1
    COMMENTER = 2
    EDITOR = 3
    ADMIN = 4
    OWNER = 5


class Action(StrEnum):
    """Everything that can be asked of a project."""

    READ = "read"
    SEE_MEMBERS_LIST = "see_members_list"
    SIGNAL = "signal"
    SAVE_VIEWS = "save_views"
    BE_TOLD = "be_told"
    COMMENT = "comment"
    EDIT_TASKS = "edit_tasks"
    EDIT_LABELS = "edit_labels"
    MODERATE_COMMENTS = "moderate_comments"
    EDIT_COLUMNS = "edit_columns"
    EDIT_PROJECT = "edit_project"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_OWNERS = "manage_owners"
    DELETE_PROJECT = "delete_project"


_LEAST_RANK: Final = MappingProxyType(
    {
        Action.READ: _Rank.PUBLIC,
        Action.SEE_MEMBERS_LIST: _Rank.VIEWER,
        Action.SIGNAL: _Rank.VIEWER,
        Action.SAVE_VIEWS: _Rank.VIEWER,
        Action.BE_TOLD: _Rank.VIEWER,
        Action.COMMENT: _Rank.COMMENTER,
        Action.EDIT_TASKS: _Rank.EDITOR,
        Action.EDIT_LABELS: _Rank.EDITOR,
        Action.MODERATE_COMMENTS: _Rank.ADMIN,
        Action.EDIT_COLUMNS: _Rank.ADMIN,
        Action.EDIT_PROJECT: _Rank.ADMIN,
        Action.MANAGE_MEMBERS: _Rank.ADMIN,
        Action.MANAGE_OWNERS: _Rank.OWNER,
        Action.DELETE_PROJECT: _Rank.OWNER,
    }
)
_RANK: Final = MappingProxyType({role: _Rank[role.name] for role in Role})


def may_see(role: Role | None, visibility: Visibility) -> bool:
    """Whether the project exists for somebody with this role (None: not a member)."""
    return role is not None or visibility is Visibility.PUBLIC


def may(role: Role | None, action: Action) -> bool:
    """Whether somebody who can see the project may do `action` in it."""
    rank = _Rank.PUBLIC if role is None else _RANK[role]
    return rank >= _LEAST_RANK[action]


def may_set_role(actor: Role, target: Role | None, new: Role | None) -> bool:
    """Whether `actor` may turn a member's role `target` (None: not yet a member) into `new` (None: removed).

    Only owners touch owners: nobody can raise themselves above what they hold.
    """
    if not may(actor, Action.MANAGE_MEMBERS):
        return False
    touches_owner = Role.OWNER in (target, new)
    return not touches_owner or may(actor, Action.MANAGE_OWNERS)
