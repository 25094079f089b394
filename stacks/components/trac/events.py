"""The verb `event`: a commit in the project's repository, or a finished build."""

import re
import time
from typing import Any

from driver_kit import DriverError, checked_name
from environments import STORE, rows_of
from holding import held
from tables import TABLES

_KEPT_BUILDS = 2000


def tell(given: Any) -> None:
    """Takes one event. Told again with the same content it changes nothing more."""
    args = given if isinstance(given, dict) else {}
    project = args.get("project")
    name = checked_name(project.get("name") if isinstance(project, dict) else None)
    changes = _changes(args.get("changes"))
    with held(name):
        place = STORE.place_of(name)
        if not STORE.read(name)["present"]:
            raise DriverError(f"there is no environment at {place}", "restore it from a backup")
        with rows_of(place) as database:
            for statement in TABLES:
                database.execute(statement)
        if args.get("type") == "build-finished":
            _note_builds(name, changes)
        elif args.get("type") == "commit":
            from commits import hear

            hear(name, _user(args.get("user")), changes)
        else:
            raise DriverError(f"Trac knows no event {args.get('type')}")


def _changes(given: Any) -> list[list[str]]:
    if not isinstance(given, list) or len(given) > 1000:
        raise DriverError("an event needs a list of up to 1000 changes")
    for change in given:
        if not isinstance(change, list) or not all(isinstance(word, str) and len(word) <= 1000 for word in change):
            raise DriverError("a change is a list of words")
    return given


def _user(given: Any) -> str:
    """Who did it; empty: nobody known, and nobody may anything."""
    return given if isinstance(given, str) and re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", given) else ""


def _note_builds(name: str, changes: list[list[str]]) -> None:
    with rows_of(STORE.place_of(name)) as database:
        for change in changes:
            number, result, url, seconds = _build(change)
            database.execute(
                "INSERT INTO devserver_build (number, url, result, seconds, time) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET result = excluded.result, seconds = excluded.seconds",
                (number, url, result, seconds, time.time_ns() // 1000),
            )
        database.execute(
            "DELETE FROM devserver_build WHERE time < (SELECT time FROM devserver_build ORDER BY time DESC LIMIT 1 OFFSET ?)",
            (_KEPT_BUILDS,),
        )


def _build(change: list[str]) -> tuple[int, str, str, float]:
    if len(change) != 4:
        raise DriverError("a finished build is told as NUMBER RESULT URL SECONDS")
    number, result, url, seconds = change
    if not re.fullmatch(r"[0-9]{1,9}", number) or not re.fullmatch(r"[A-Za-z_-]{1,32}", result):
        raise DriverError(f"{number} {result} is no build's number and result")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", seconds):
        raise DriverError(f"{seconds} is no number of seconds")
    # shown as a link
    return int(number), result, url if re.fullmatch(r"https?://[^\s<>\"]{1,500}", url) else "", float(seconds)
