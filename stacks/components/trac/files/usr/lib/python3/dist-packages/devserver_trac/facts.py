"""Facts of projects as the daemon publishes them, read anew whenever they change: a member counts at once."""

import json
import os
import re
from typing import Any

FACTS = "/run/devserver/facts"
_PROJECT = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")

_Seen = tuple[tuple[int, int, int], dict[str, Any]]
_seen: dict[str, _Seen] = {}


def facts_of(project: str) -> dict[str, Any]:
    """What is known of a project; empty when it has no facts: then nobody may anything."""
    return _read(f"{FACTS}/{project}.json") if _PROJECT.fullmatch(project) else {}


def site_admins() -> list[str]:
    """Who may everything in every project."""
    return _list(_read(f"{FACTS}/.site.json").get("admins"))


def role_of(project: str, user: str) -> str | None:
    """A login's part in a project: admin, developer, reader or None."""
    facts = facts_of(project)
    if not facts or user in ("", "anonymous", "authenticated"):
        return None
    if user in site_admins():
        return "admin"
    members = facts.get("members")
    role = members.get(user) if isinstance(members, dict) else None
    if role in ("admin", "developer", "reader"):
        return str(role)
    return "reader" if facts.get("visibility") == "internal" else None


def members_of(project: str) -> list[str]:
    """All who have a part in a project by name."""
    members = facts_of(project).get("members")
    return sorted({*(members if isinstance(members, dict) else {}), *site_admins()})


def is_archived(project: str) -> bool:
    """Whether nobody may write. Unknown counts as archived."""
    return facts_of(project).get("archived") is not False


def _list(value: Any) -> list[str]:
    return [it for it in value if isinstance(it, str)] if isinstance(value, list) else []


def _read(path: str) -> dict[str, Any]:
    """A stat for each question, a read for each change. What can't be read or is no JSON object is empty."""
    try:
        found = os.stat(path)
        version = (found.st_mtime_ns, found.st_ino, found.st_size)
        seen = _seen.get(path)
        if seen is not None and seen[0] == version:
            return seen[1]
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError):
        _seen.pop(path, None)
        return {}
    facts = value if isinstance(value, dict) else {}
    _seen[path] = (version, facts)
    return facts
