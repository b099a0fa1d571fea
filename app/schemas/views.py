"""Saved views: filters of a board that one person keeps under names."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.schemas.base import RequestModel, ResponseModel, Text, UtcTime
from app.schemas.projects import ShortName

ViewQuery = Annotated[Text, Field(max_length=2000)]


class SavedView(ResponseModel):
    """A filter with a name."""

    id: UUID
    name: str
    query: str
    """As in the page's address: `assignee=me&due=week`."""
    created_at: UtcTime


class SavedViewCreate(RequestModel):
    """A new view."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Mine, soon", "query": "assignee=me&due=week"}]})

    name: ShortName
    query: ViewQuery


class SavedViewUpdate(RequestModel):
    """Fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Mine, this week"}]})

    name: ShortName = Field(default="", validate_default=False)
    query: ViewQuery = ""
