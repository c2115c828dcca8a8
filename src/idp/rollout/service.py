"""The service in a folder: its workload, what its catalog entry says, where its repository is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from idp import git
from idp.catalog.ref import MalformedRef, parse
from idp.clone import remote_of
from idp.errors import IdpError, InvalidInput, NotFound
from idp.forge.address import Address, parse_remote
from idp.plan import Facts
from idp.policy.repository import repository
from idp.workload.model import OWN, Workload
from idp.workload.reading import read
from idp.workload.sources import whole

SCORE = "score.yaml"


@dataclass(frozen=True)
class Service:
    """A service that can be run.

    Attributes:
        folder: where it is; `place` is that of its repository on a forge, `HOST/OWNER/NAME`,
            else the path of its work tree.
        facts: what its files say for policies and costs; no environment in it yet.
        address: on a forge; None where it has no remote there.
    """

    folder: Path
    workload: Workload
    facts: Facts
    branch: str
    place: str
    address: Address | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.facts.service or self.workload.name

    @property
    def team(self) -> str:
        """The name of the team that owns it."""
        try:
            return parse(self.facts.owner, "group", "default").name
        except MalformedRef:
            return self.facts.owner


def look(folder: Path, flat: Collection[str] = ()) -> Service:
    """Return the service in a folder.

    Args:
        flat: the resources that the platform's rate card has.

    Raises:
        NotFound: there is no score.yaml in it.
        InvalidInput: that is invalid, or the folder is in no git work tree.
    """
    score = folder / SCORE
    if not score.is_file():
        raise NotFound(
            f"no {SCORE} in {folder}",
            hint="run it in a service's folder; `idp create-service` makes one",
        )
    found = git.find(folder)
    address = _address(found)
    place = f"{address.host}/{address.name}" if address else str(found.top.resolve())
    return Service(
        folder,
        whole(read(score, SCORE), folder),
        repository(folder, "", flat).facts,
        _branch(found),
        place,
        address,
    )


def _address(repo: git.Repo) -> Address | None:
    try:
        return parse_remote(remote_of(repo)[1])
    except IdpError:  # no remote, or none on a forge
        return None


def _branch(repo: git.Repo) -> str:
    done = repo.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
    return done.stdout.decode(errors="replace").strip() or repo.head()[:12]


def with_image(workload: Workload, image: str) -> Workload:
    """Return a workload whose own image is one that is there already.

    Raises:
        InvalidInput: it builds none of its own.
    """
    if not any(one.image == OWN for one in workload.containers):
        raise InvalidInput(
            f"{SCORE} names all its images: there is none to put {image} in place of",
            hint="leave --image out",
        )
    return replace(
        workload,
        containers=tuple(
            replace(one, image=image) if one.image == OWN else one for one in workload.containers
        ),
    )
