"""The whole table of who may do what, written down a second time by hand."""

from itertools import product

import pytest

from app.permissions import Action, Role, Visibility, may, may_see, may_set_role

ROLES: list[Role | None] = [None, Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.ADMIN, Role.OWNER]
TABLE = {
    #                          none viewer comm. editor admin owner
    Action.READ:              (1, 1, 1, 1, 1, 1),
    Action.SEE_MEMBERS_LIST:  (0, 1, 1, 1, 1, 1),
    Action.SIGNAL:            (0, 1, 1, 1, 1, 1),
    Action.SAVE_VIEWS:        (0, 1, 1, 1, 1, 1),
    Action.BE_TOLD:           (0, 1, 1, 1, 1, 1),
    Action.COMMENT:           (0, 0, 1, 1, 1, 1),
    Action.EDIT_TASKS:        (0, 0, 0, 1, 1, 1),
    Action.EDIT_LABELS:       (0, 0, 0, 1, 1, 1),
    Action.MODERATE_COMMENTS: (0, 0, 0, 0, 1, 1),
    Action.EDIT_COLUMNS:      (0, 0, 0, 0, 1, 1),
    Action.EDIT_PROJECT:      (0, 0, 0, 0, 1, 1),
    Action.MANAGE_MEMBERS:    (0, 0, 0, 0, 1, 1),
    Action.MANAGE_OWNERS:     (0, 0, 0, 0, 0, 1),
    Action.DELETE_PROJECT:    (0, 0, 0, 0, 0, 1),
}  # fmt: skip


def test_table_names_every_action() -> None:
    """A new action must be decided here too."""
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("action", Action)
def test_role_may_do_what_the_table_says(action: Action) -> None:
    """Each role may do exactly what its column says."""
    assert [may(role, action) for role in ROLES] == [bool(allowed) for allowed in TABLE[action]]


@pytest.mark.parametrize("role", ROLES)
def test_private_project_exists_for_its_members_alone(role: Role | None) -> None:
    """Without a role one sees public projects and no other."""
    assert may_see(role, Visibility.PUBLIC)
    assert may_see(role, Visibility.PRIVATE) is (role is not None)


@pytest.mark.parametrize(("actor", "target", "new"), list(product(Role, ROLES, ROLES)))
def test_only_owners_touch_owners(actor: Role, target: Role | None, new: Role | None) -> None:
    """Admins and owners change roles; what involves an owner, an owner alone."""
    involves_owner = Role.OWNER in (target, new)
    expected = actor is Role.OWNER or (actor is Role.ADMIN and not involves_owner)
    assert may_set_role(actor, target, new) is expected
