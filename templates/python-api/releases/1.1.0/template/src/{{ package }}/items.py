"""The items resource: a slice from the route down to the store.

Rename it to what your service keeps; the store is the seam for a database.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from .problem_details import responses

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewItem(BaseModel):
    """What a client sends to create an item."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Blue kettle"])
    quantity: int = Field(default=1, ge=1, le=1_000_000)


class Item(BaseModel):
    """An item as it is kept."""

    id: UUID
    name: str
    quantity: int
    created_at: AwareDatetime


class ItemPage(BaseModel):
    """Some items, oldest first, and the cursor of the next page if there is one."""

    items: list[Item]
    next_cursor: UUID | None = None


class UnknownCursor(Exception):
    """The cursor was not given out by this store."""


class ItemStore(Protocol):
    """What the routes need of a store."""

    async def ping(self) -> bool:
        """Tell whether the store can be used; readiness asks."""

    async def add(self, new: NewItem) -> Item:
        """Keep a new item."""

    async def get(self, item_id: UUID) -> Item | None:
        """Return one item if it is there."""

    async def page(self, after: UUID | None, limit: int) -> list[Item]:
        """Return up to `limit` items, oldest first, which follow the item `after`."""


class InMemoryItems:
    """Keeps items in this process: lost at a restart, not shared between replicas."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._position: dict[UUID, int] = {}

    async def ping(self) -> bool:
        """Memory is always there."""
        return True

    async def add(self, new: NewItem) -> Item:
        """Keep a new item."""
        item = Item(id=uuid4(), created_at=datetime.now(UTC), **new.model_dump())
        self._position[item.id] = len(self._items)
        self._items.append(item)
        return item

    async def get(self, item_id: UUID) -> Item | None:
        """Return one item if it is there."""
        position = self._position.get(item_id)
        return None if position is None else self._items[position]

    async def page(self, after: UUID | None, limit: int) -> list[Item]:
        """Return up to `limit` items, oldest first, which follow the item `after`."""
        if after is None:
            start = 0
        elif (position := self._position.get(after)) is not None:
            start = position + 1
        else:
            raise UnknownCursor(after)
        return self._items[start : start + limit]


CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}}
}


def create_router(store: ItemStore) -> APIRouter:
    """Return the routes of the resource."""
    router = APIRouter(prefix="/v1/items", tags=["items"])

    @router.get("", operation_id="listItems", responses=responses(400, 422))
    async def list_items(
        limit: Annotated[int, Query(ge=1, le=100, description="Size of a page.")] = 20,
        cursor: Annotated[UUID | None, Query(description="`next_cursor` of a page.")] = None,
    ) -> ItemPage:
        """List items, oldest first, page by page."""
        try:
            # One more than asked for tells whether there is a next page.
            found = await store.page(cursor, limit + 1)
        except UnknownCursor:
            raise HTTPException(400, "The cursor is not known.") from None
        page = found[:limit]
        return ItemPage(items=page, next_cursor=page[-1].id if len(found) > limit else None)

    @router.post("", operation_id="createItem", status_code=201, responses=CREATED | responses(422))
    async def create_item(new: NewItem, request: Request, response: Response) -> Item:
        """Create an item."""
        item = await store.add(new)
        response.headers["Location"] = request.app.url_path_for("get_item", item_id=item.id)
        return item

    @router.get("/{item_id}", operation_id="getItem", responses=responses(404, 422))
    async def get_item(item_id: UUID) -> Item:
        """Return one item."""
        item = await store.get(item_id)
        if item is None:
            raise HTTPException(404, "There is no such item.")
        return item

    return router
