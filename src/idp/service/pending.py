"""What a template's commands still have to do in a service.

They are left out while conflicts stand, or for want of trust; the next update makes up for them.
Kept beside the index, in `idp/pending.json`, by answers file: the releases they lead from and to.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from idp.service.answers import Service


def since(service: Service) -> str:
    """Return the release that commands left out lead from, empty where none were."""
    kept = _read(service).get(_key(service), {})
    return str(kept["from"]) if kept.get("to") == service.answers.version else ""


def keep(service: Service, old: str, new: str) -> None:
    """Remember that the commands between two releases were left out."""
    _write(service, {**_read(service), _key(service): {"from": old, "to": new}})


def forget(service: Service) -> None:
    """Forget what was left out: it has been made up for."""
    if _path(service).exists():
        _write(service, {k: v for k, v in _read(service).items() if k != _key(service)})


def _key(service: Service) -> str:
    return f"{service.prefix}{service.answers_file}"


def _path(service: Service) -> Path:
    return service.repo.git_dir / "idp" / "pending.json"


def _read(service: Service) -> dict[str, Any]:
    try:
        return dict(json.loads(_path(service).read_bytes()))
    except (FileNotFoundError, ValueError):
        return {}


def _write(service: Service, kept: dict[str, Any]) -> None:
    part = _path(service).with_suffix(".part")
    part.write_text(json.dumps(kept))
    part.replace(_path(service))
