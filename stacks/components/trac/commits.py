"""Commits told to Trac: its cache of the repository, and `refs #12`, `closes #12` in their messages.

Who acts is the login that pushed, with the rights of this moment; never the author a commit names.
"""

import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from driver_kit import DriverError
from environments import STORE
from revisions import revisions_of
from trac.env import Environment
from trac.perm import PermissionCache
from trac.resource import ResourceNotFound
from trac.ticket.model import Ticket
from trac.util.datefmt import datetime_now, utc
from trac.versioncontrol.api import NoSuchChangeset, RepositoryManager
from tracopt.ticket.commit_updater import CommitTicketUpdater

# of one commit, and of one event: more than a person means, and soon done
_MAX_TICKETS = 25
_MAX_COMMENTS = 500
_MAX_SEARCHED = 8 * 1024
_MAX_QUOTED = 4 * 1024
_MAX_CACHED = 64 * 1024
_SECONDS = 20.0
# others may write in between; they wait for ten seconds
_SLICE = 3.0
_AT_ONCE = 50

_REFERENCE = r"(?:#|(?:ticket|issue|bug)[: ]?)[0-9]{1,9}(?![0-9])(?:#comment:(?:[0-9]{1,9}|description))?"
# the words of Trac's own updater; its pattern takes time that grows with the cube of a hostile message's length
_COMMAND = re.compile(
    rf"(?<![A-Za-z])(?P<action>[A-Za-z]{{1,20}})\s{{0,4}}.?\s{{0,4}}"
    rf"(?P<tickets>{_REFERENCE}(?:(?:[, &]{{0,4}}| ?and ?){_REFERENCE}){{0,99}})"
)
_NUMBER = re.compile(r"(?:#|(?:ticket|issue|bug)[: ]?)([0-9]{1,9})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


class _Pushed:
    """A commit as Trac's commands want it, with the pusher where they look for the author."""

    def __init__(self, user: str, rev: Any, message: str) -> None:
        self.author = user
        self.rev = rev
        self.message = message


def read_repository(name: str) -> None:
    """Brings Trac's cache of the repository up to date."""
    with _opened(name) as env:
        _sync(_repository(env), env, time.monotonic() + _SECONDS)


def hear(name: str, user: str, changes: list[list[str]]) -> None:
    """Acts on each commit of the changes once. Raises DriverError when there was not time for all: told again, it goes on."""
    until = time.monotonic() + _SECONDS
    with _opened(name) as env:
        repository = _repository(env)
        _sync(repository, env, until)
        left = _MAX_COMMENTS
        for change in changes:
            revisions, after = revisions_of(env, repository, change)
            for start in range(0, len(revisions), _AT_ONCE):
                _in_time(until)
                left -= _hear_some(env, repository, revisions[start : start + _AT_ONCE], user, left)
            after()


def _hear_some(env: Environment, repository: Any, revisions: list[Any], user: str, left: int) -> int:
    """Some commits in one transaction; when one of them can't be heard, each in its own and without that one."""

    def together(some: list[Any]) -> int:
        commented = 0
        with env.db_transaction:
            for rev in some:
                commented += _hear_one(env, repository, rev, user, left - commented)
        return commented

    try:
        return together(revisions)
    except env.db_exc.OperationalError as error:
        raise DriverError(f"Trac's database can not be written: {error}") from error
    except Exception:
        traceback.print_exc()
    commented = 0
    for rev in revisions:
        try:
            commented += together([rev])
        except Exception as error:
            # told again it would fail again, and everything behind it would wait
            print(f"{env.name}: commit {rev} is left out: {error}", file=sys.stderr)
    return commented


@contextmanager
def _opened(name: str) -> Iterator[Environment]:
    env = Environment(str(STORE.place_of(name)))
    try:
        yield env
    finally:
        env.shutdown()


def _repository(env: Environment) -> Any:
    repository = RepositoryManager(env).get_repository("")
    if repository is None:
        raise DriverError("the environment has no repository")
    return repository


class _Pause(Exception):
    """Time to let others write."""


def _sync(repository: Any, env: Environment, until: float) -> None:
    """Reads what is new, many commits in one transaction: each in its own would wait for the disk as often."""
    while True:
        pause = time.monotonic() + _SLICE

        def shorten(rev: Any, pause: float = pause) -> None:
            # every page that lists commits would show all of it
            env.db_transaction(
                "UPDATE revision SET message = substr(message, 1, %s) WHERE repos = %s AND rev = %s AND length(message) > %s",
                (_MAX_CACHED, repository.id, repository.db_rev(rev), _MAX_CACHED),
            )
            if time.monotonic() > pause:
                raise _Pause

        try:
            with env.db_transaction:
                try:
                    repository.sync(shorten)
                    return
                except _Pause:
                    pass
        except env.db_exc.OperationalError as error:
            raise DriverError(f"Trac's database can not be written: {error}") from error
        _in_time(until)


def _in_time(until: float) -> None:
    if time.monotonic() > until:
        raise DriverError("there are more commits than could be read at once", "it goes on by itself")


def _hear_one(env: Environment, repository: Any, rev: Any, user: str, left: int) -> int:
    """Comments the tickets one commit names; the number of comments."""
    try:
        changeset = repository.get_changeset(rev)
    except NoSuchChangeset:
        return 0
    message = _CONTROL.sub("\ufffd", str(changeset.message or ""))
    tickets = list(_commands(env, message[:_MAX_SEARCHED]).items())[: min(_MAX_TICKETS, left)]
    if not tickets or user == "":
        return 0
    pushed = _Pushed(user, changeset.rev, message)
    comment = _comment(env, repository, pushed)
    with env.db_transaction as database:
        if database("SELECT 1 FROM devserver_heard WHERE rev = %s", (str(changeset.rev),)):
            return 0
        database("INSERT INTO devserver_heard (rev) VALUES (%s)", (str(changeset.rev),))
        return sum([_act(env, number, acts, pushed, comment) for number, acts in tickets])


def _commands(env: Environment, message: str) -> dict[int, list[Any]]:
    known = CommitTicketUpdater(env)._get_functions()
    found: dict[int, list[Any]] = {}
    for match in _COMMAND.finditer(message):
        act = known.get(match["action"].lower())
        for number in _NUMBER.findall(match["tickets"]) if act else []:
            acts = found.setdefault(int(number), [])
            if act not in acts:
                acts.append(act)
    return found


def _act(env: Environment, number: int, acts: list[Any], pushed: _Pushed, comment: str) -> int:
    try:
        ticket = Ticket(env, number)
    except ResourceNotFound:
        return 0
    # asks the roles as they are now
    may = PermissionCache(env, pushed.author)(ticket.resource)
    if not any([act(ticket, pushed, may) is not False for act in acts]):
        return 0
    return 1 if ticket.save_changes(pushed.author, comment, datetime_now(utc)) else 0


def _comment(env: Environment, repository: Any, pushed: _Pushed) -> str:
    """Trac's own words for a commit; a long or strange message is quoted in part, as plain text."""
    strange = any(it in pushed.message for it in ("\ufffd", "{{{", "}}}"))
    if len(pushed.message) <= _MAX_QUOTED and not strange:
        return CommitTicketUpdater(env).make_ticket_comment(repository, pushed)
    quoted = pushed.message[:_MAX_QUOTED].replace("}}}", "} } }").replace("{{{", "{ { {")
    return f'In [changeset:"{pushed.rev}" {repository.display_rev(pushed.rev)}]:\n{{{{{{\n{quoted}\n}}}}}}'
