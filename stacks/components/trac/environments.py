"""The resource `environment`: a project's Trac, cloned from a template and published by one rename."""

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driver_kit import DriverError, Verb, checked_name, in_background
from driver_store import Store, Stored, flush, lack_of, plain_text
from holding import held
from settings import chosen_in, connector_of, difference, one_line, repository_of, settings_text

STORE = Store(Path("/srv/trac"))

# grows when what prepare_template makes changes
_TEMPLATE_VERSION = 1
START_PAGE = "WikiStart"
_DEFAULT_PAGE = """[[Project]]

Tickets: [report:1 active] · [query:status!=closed&group=milestone by milestone] · [/newticket new]

How this wiki is written: WikiFormatting. Everything else: TracGuide.
"""
_SITE_SETTINGS = """# Settings of this site's own; those of trac.ini beside it win.

[header_logo]
src =
link =
alt =
"""
_MAX_PAGE = 256 * 1024
# without it there are no pages and no tickets
_ESSENTIAL = ("db/trac.db",)


def environment_verbs() -> dict[str, Verb]:
    """Each verb, one at a time for a project."""

    def locked(act: Verb) -> Verb:
        def verb(args: Any) -> Any:
            with held(args["project"]["name"]):
                return act(args)

        return verb

    def of_store(act: Any) -> Verb:
        return lambda args: act(args["project"]["name"], args["job"])

    verbs: dict[str, Verb] = {
        "read": _read,
        "make": _make,
        "apply": _apply,
        "remove": of_store(STORE.remove_made),
        "stash": of_store(STORE.stash),
        "unstash": of_store(STORE.unstash),
        "purge": lambda args: STORE.purge(args["job"]),
    }
    return {"list": lambda _: STORE.names(), **{name: locked(act) for name, act in verbs.items()}}


def database_of(place: Path) -> Path:
    """The database of an environment."""
    return place / "db" / "trac.db"


@contextmanager
def rows_of(place: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """An environment's database, without Trac; what is done within is kept whole or not at all."""
    with closing(sqlite3.connect(f"file:{database_of(place)}?mode={mode}", uri=True, timeout=10)) as database, database:
        yield database


def _read(args: Any) -> Stored:
    project = args["project"]
    stored, place = STORE.read(project["name"]), STORE.place_of(project["name"])
    if not stored["present"]:
        return stored
    lacks = lack_of(place, _ESSENTIAL)
    if lacks is not None:
        return {**stored, "lacks": lacks}
    differs = _difference(place, project)
    return stored if differs is None else {**stored, "differs": differs}


def _difference(place: Path, project: dict[str, Any]) -> str | None:
    """What _apply would change; none of it is what people write or choose in Trac."""
    if (place / "conf").is_symlink():
        return "conf is a link"
    settings = difference(plain_text(place / "conf" / "trac.ini"), project, plain_text(place / "conf" / "site.ini"))
    if settings is not None:
        return settings
    if not _has_version(place):
        return "VERSION is missing"
    try:
        with rows_of(place, "ro") as database:
            present = dict(database.execute("SELECT name, value FROM repository WHERE id = 1"))
    except sqlite3.Error as error:
        raise DriverError(f"the database of {place.name} can not be read: {error}", "restore it from a backup") from error
    if any(present.get(key) != value for key, value in _connection_of(project).items()):
        return "another repository is connected"
    return None


def _has_version(place: Path) -> bool:
    """Trac opens no environment without this file."""
    return (plain_text(place / "VERSION") or "").startswith("Trac Environment Version")


def _make(args: Any) -> None:
    project, job = args["project"], args["job"]
    name = checked_name(project["name"])
    settings = settings_text(project, {})
    pages, author = _pages_of(args.get("seed")), one_line(project.get("by"))
    made = STORE.read(name)["present"]

    def build(fresh: Path) -> None:
        shutil.copytree(prepare_template(), fresh, dirs_exist_ok=True)
        # copytree gives the template's own mode; nobody else looks into a project
        fresh.chmod(0o750)
        (fresh / "conf" / "trac.ini").write_text(settings, "utf-8")
        with rows_of(fresh) as database:
            _connect_repository(database, project)
            now = time.time_ns() // 1000
            # where the manual has a page of that name, the project's own takes its place
            database.executemany(
                "INSERT OR REPLACE INTO wiki (name, version, time, author, text, comment, readonly) VALUES (?, 1, ?, ?, ?, '', 0)",
                [(name, now, author, text) for name, text in pages.items()],
            )

    STORE.make(name, job, build)
    if not made:
        # the first commit shows at once; the project need not wait for it
        in_background(lambda: _show_first_commit(name))


def _apply(args: Any) -> None:
    project = args["project"]
    place = STORE.present_place(project["name"])
    lacks = lack_of(place, _ESSENTIAL)
    if lacks is not None:
        raise DriverError(f"at {place} {lacks}", "restore it from a backup")
    _write_settings(place, project)
    if not _has_version(place):
        _replace(place / "VERSION", (prepare_template() / "VERSION").read_text("utf-8"))
    with rows_of(place) as database:
        _connect_repository(database, project)


def _write_settings(place: Path, project: dict[str, Any]) -> None:
    """Trac reads its settings again when the file has changed; so it only changes when they have."""
    target = place / "conf" / "trac.ini"
    if target.parent.is_symlink():
        raise DriverError(f"{target.parent} is a link", "somebody put it there by hand: look at it")
    present = plain_text(target)
    settings = settings_text(project, chosen_in(present))
    if present == settings:
        return
    target.parent.mkdir(mode=0o750, exist_ok=True)
    _replace(target, settings)


def _replace(target: Path, text: str) -> None:
    """Readers see the old text or the new one. A directory in its place gets another name: it may be root's, and full."""
    if target.is_dir() and not target.is_symlink():
        os.rename(target, target.with_name(f"{target.name}.by-hand-{time.time_ns()}"))
    fresh = target.with_name(f"{target.name}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8") as file:
        file.write(text)
    flush(fresh)
    os.replace(fresh, target)
    flush(target.parent)


def _connect_repository(database: sqlite3.Connection, project: dict[str, Any]) -> None:
    """The one repository of the project, without a name. Whoever added others has them still."""
    wanted = _connection_of(project)
    # the same repository under another name: Trac takes it for another one unless it has forgotten where it was
    where = dict(database.execute("SELECT name, value FROM repository WHERE id = 1")).get("dir")
    if where not in (None, wanted["dir"]):
        database.execute("UPDATE repository SET value = '' WHERE id = 1 AND name = 'repository_dir'")
    database.executemany("DELETE FROM repository WHERE id = 1 AND name = ?", [(key,) for key in wanted])
    database.executemany("INSERT INTO repository (id, name, value) VALUES (1, ?, ?)", list(wanted.items()))


def _connection_of(project: dict[str, Any]) -> dict[str, str]:
    return {"name": "", "dir": repository_of(project), "type": connector_of(project)}


def _show_first_commit(name: str) -> None:
    from commits import read_repository
    from trac.core import TracError

    with held(name):
        if not STORE.read(name)["present"]:
            return
        try:
            read_repository(name)
        except TracError as error:
            print(f"{name}: {error}", file=sys.stderr)


def _pages_of(seed: Any) -> dict[str, str]:
    """The pages of the wiki that the project begins with; there is always one to start from."""
    pages = {START_PAGE: _DEFAULT_PAGE}
    files = seed.get("files") if isinstance(seed, dict) else None
    for file in files if isinstance(files, list) else []:
        path, text = (file.get("path"), file.get("text")) if isinstance(file, dict) else (None, None)
        if not isinstance(path, str) or not path.startswith("wiki/") or not isinstance(text, str):
            continue
        name = path.removeprefix("wiki/")
        try:
            for part in (name, text):
                part.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DriverError("a page of the wiki holds half a character") from error
        pages[name] = text[:_MAX_PAGE]
    return pages


def prepare_template() -> Path:
    """The environment all others are copied from, one per version of Trac; made if need be."""
    root = STORE.root / ".template"
    place = root / f"{version('Trac')}-{_TEMPLATE_VERSION}"
    with held(".template"):
        if place.is_dir():
            return place
        # a new Trac leaves the old one's behind
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o700)
        fresh = root / "new"
        _make_template(fresh)
        flush(database_of(fresh))
        os.rename(fresh, place)
        flush(root)
        return place


def _make_template(fresh: Path) -> None:
    from trac.env import Environment

    options = [("inherit", "file", "site.ini"), ("trac", "database", "sqlite:db/trac.db"), ("logging", "log_type", "none")]
    Environment(str(fresh), create=True, options=options).shutdown()
    # code put there would run; the sample of the settings is no use where the settings are made
    (fresh / "plugins").rmdir()
    (fresh / "conf" / "trac.ini.sample").unlink(missing_ok=True)
    (fresh / "conf" / "site.ini").write_text(_SITE_SETTINGS, "utf-8")
    from tables import TABLES

    with closing(sqlite3.connect(database_of(fresh))) as database:
        with database:
            for statement in (
                "DELETE FROM permission",
                "DELETE FROM component",
                "DELETE FROM milestone",
                "DELETE FROM version",
                # the manual is no news in anybody's timeline
                "UPDATE wiki SET time = 0",
                *TABLES,
            ):
                database.execute(statement)
        database.execute("VACUUM")
