"""GitHub's GraphQL, for what its REST API has not."""

from __future__ import annotations

from typing import Any

from idp.errors import NotAllowed, RemoteFailed
from idp.rest import Server

VIEWER = "query { viewer { login } }"
READY = (
    "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id})"
    " { pullRequest { isDraft } } }"
)
DRAFT = (
    "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id})"
    " { pullRequest { isDraft } } }"
)


def ask(server: Server, query: str, **variables: str) -> Any:
    """Return the data of an answer; all that we ask has the same effect twice.

    Raises:
        NotAllowed, RemoteFailed: GraphQL's errors, which come with status 200.
    """
    url = f"{server.base.removesuffix('/v3')}/graphql"
    body = {"query": query, "variables": variables}
    answer = server.send("POST", url, body, unless=lambda: None).data
    answer = answer if isinstance(answer, dict) else {}
    if isinstance(answer.get("data"), dict) and not answer.get("errors"):
        return answer["data"]
    errors = answer.get("errors") or [{"message": "no data"}]
    said = "; ".join(str(error.get("message")) for error in errors)
    refused = any(error.get("type") in ("FORBIDDEN", "NOT_FOUND") for error in errors)
    kind = NotAllowed if refused else RemoteFailed
    raise kind(f"{server.host} refused a GraphQL request: {said}")
