"""Projects, their members, invitations, columns and labels as the API shows them."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator

from app.permissions import Role, Visibility
from app.schemas.base import Color, Line, RequestModel, ResponseModel, Text, UtcTime
from app.schemas.users import Email

ProjectName = Annotated[Line, Field(max_length=200)]
ProjectKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$", examples=["WEB"])]
ShortName = Annotated[Line, Field(max_length=60)]
Description = Annotated[Text, Field(max_length=50_000)]
WipLimit = Annotated[StrictInt, Field(ge=1, le=1000)]


class Project(ResponseModel):
    """A project as everybody sees it."""

    id: UUID
    key: str
    name: str
    description: str
    visibility: Visibility
    hide_titles_in_push: bool = False
    """Whether what is pushed to devices leaves out titles and texts."""
    version: int
    created_at: UtcTime
    updated_at: UtcTime


class ProjectWithRole(Project):
    """A project and one's own role in it; null for somebody who only reads a public project."""

    role: Role | None


class DeletedProject(Project):
    """A project that its owners can still take back."""

    deleted_at: UtcTime


class ProjectCreate(RequestModel):
    """A new project; the key is made from the name unless given, and stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Website", "key": "WEB"}]})

    name: ProjectName
    key: ProjectKey | None = None
    description: Description = ""
    visibility: Visibility = Visibility.PRIVATE


class ProjectUpdate(RequestModel):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "New website", "visibility": "public"}]})

    name: ProjectName = Field(default="", validate_default=False)
    description: Description = ""
    visibility: Visibility = Visibility.PRIVATE
    hide_titles_in_push: StrictBool = False


class Member(ResponseModel):
    """A member as their colleagues see them."""

    user_id: UUID
    name: str
    avatar_color: str
    role: Role
    joined_at: UtcTime


class MemberAdd(RequestModel):
    """Whom to add, by e-mail address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "boris@example.org", "role": "editor"}]})

    email: Email
    role: Role


class MemberUpdate(RequestModel):
    """The new role."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "admin"}]})

    role: Role


class InvitationCreate(RequestModel):
    """A link that lets its holder in; with `email`, only the account of that address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "editor"}]})

    role: Role
    email: Email | None = None


class Invitation(ResponseModel):
    """An open invitation. `token` and `url` are shown once, when it is made."""

    id: UUID
    project_id: UUID
    email: str | None
    role: Role
    created_at: UtcTime
    expires_at: UtcTime
    token: str | None
    url: str | None


class InvitationPreview(ResponseModel):
    """What the holder of a link sees before accepting."""

    project_name: str
    inviter_name: str
    role: Role
    email: str | None
    expires_at: UtcTime


class Placement(RequestModel):
    """Where among its siblings: before one, after one, or (neither) at the end."""

    before_id: UUID | None = None
    after_id: UUID | None = None

    @model_validator(mode="after")
    def _not_both(self) -> "Placement":
        if self.before_id is not None and self.after_id is not None:
            message = "give before_id or after_id, not both"
            raise ValueError(message)
        return self


class Column(ResponseModel):
    """A column; `key` is the `status` of its tasks."""

    id: UUID
    key: str
    name: str
    position: str
    wip_limit: int | None
    is_done: bool


class ColumnCreate(Placement):
    """A new column."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Review", "wip_limit": 3}]})

    name: ShortName
    wip_limit: WipLimit | None = None
    is_done: StrictBool = False


class ColumnUpdate(Placement):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "In review", "wip_limit": 5}]})

    name: ShortName = Field(default="", validate_default=False)
    wip_limit: WipLimit | None = None
    is_done: StrictBool = False


class Label(ResponseModel):
    """A label."""

    id: UUID
    name: str
    color: str


class LabelCreate(RequestModel):
    """A new label."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Bug", "color": "#d73a4a"}]})

    name: ShortName
    color: Color = "#6b7280"


class LabelUpdate(RequestModel):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"color": "#1565c0"}]})

    name: ShortName = Field(default="", validate_default=False)
    color: Color = "#6b7280"
