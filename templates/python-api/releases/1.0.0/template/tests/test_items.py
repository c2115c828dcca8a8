from uuid import uuid4

import pytest
from fastapi.testclient import TestClient


def create(client: TestClient, name: str) -> str:
    response = client.post("/v1/items", json={"name": name})
    assert response.status_code == 201
    return str(response.json()["id"])


def test_a_created_item_can_be_read_where_it_says(client: TestClient) -> None:
    created = client.post("/v1/items", json={"name": "  Blue kettle ", "quantity": 2})

    assert created.status_code == 201
    assert created.json()["name"] == "Blue kettle"
    assert client.get(created.headers["Location"]).json() == created.json()


def test_pages_follow_each_other_without_gap_or_overlap(client: TestClient) -> None:
    ids = [create(client, f"item {number}") for number in range(5)]

    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/items", params=params).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == ids


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/name"),
        ({"name": "  "}, "/body/name"),
        ({"name": "kettle", "quantity": 0}, "/body/quantity"),
        ({"name": "kettle", "colour/hue": "blue"}, "/body/colour~1hue"),
    ],
)
def test_an_invalid_item_is_refused_and_told_where(
    client: TestClient, body: dict[str, object], pointer: str
) -> None:
    response = client.post("/v1/items", json=body)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_missing_item_is_a_problem(client: TestClient) -> None:
    response = client.get(f"/v1/items/{uuid4()}")

    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such item.",
    }


def test_a_cursor_from_elsewhere_is_refused(client: TestClient) -> None:
    response = client.get("/v1/items", params={"cursor": str(uuid4())})

    assert response.status_code == 400
    assert response.json()["detail"] == "The cursor is not known."
