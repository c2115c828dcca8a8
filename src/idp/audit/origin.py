"""From where an act is done."""

from __future__ import annotations

import socket
from collections.abc import Mapping


def origin_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the host, and the page of the CI's run where there is one."""
    run = environ.get("CI_JOB_URL", "")
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    if server and repository and environ.get("GITHUB_RUN_ID"):
        run = f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return {"host": socket.gethostname()} | ({"run": run} if run else {})
