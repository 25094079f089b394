"""Which commits a change brought, oldest first and bounded; what really is there says the repository."""

import re
import subprocess
from collections.abc import Callable
from typing import Any

from driver_kit import DriverError
from trac.core import TracError

_MOST = 500
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_Found = tuple[list[Any], Callable[[], None]]


def revisions_of(env: Any, repository: Any, change: list[str]) -> _Found:
    """The commits of a change, and what to do when all were heard. Of more than 500 the newest are taken."""
    kind = repository.params.get("type") or ""
    if kind == "git" and len(change) == 3:
        return _of_git(env, repository, *change)
    if kind == "hg" and len(change) == 2:
        return _of_hg(repository, *change)
    if kind == "svn" and len(change) == 1 and re.fullmatch(r"[0-9]{1,9}", change[0]):
        return [int(change[0])], _nothing
    raise DriverError(f"{change} is no change of a {kind} repository")


def _nothing() -> None:
    return None


def _of_git(env: Any, repository: Any, old: str, new: str, ref: str) -> _Found:
    if not _ID.fullmatch(old) or not _ID.fullmatch(new) or not ref.startswith("refs/"):
        raise DriverError(f"{old} {new} {ref} is no change of a git repository")
    if not ref.startswith("refs/heads/") or not new.strip("0"):
        return [], _nothing
    # heard already: what this branch was before, and wherever any branch has been
    heard = [rev for (rev,) in env.db_query("SELECT DISTINCT rev FROM devserver_head") if _ID.fullmatch(rev)]
    without = [f"^{rev}" for rev in {old, *heard} if rev.strip("0")]
    command = ["git", f"--git-dir={repository.params['dir']}", "rev-list", f"--max-count={_MOST}", "--ignore-missing", "--stdin"]
    told = subprocess.run(command, input="\n".join([new, *without, ""]), capture_output=True, text=True, timeout=60, check=False)
    if told.returncode != 0:
        # gone again: a later event tells where the branch went
        return [], _nothing

    def after() -> None:
        env.db_transaction(
            "INSERT INTO devserver_head (ref, rev) VALUES (%s, %s) ON CONFLICT (ref) DO UPDATE SET rev = excluded.rev",
            (ref[:500], new),
        )

    return list(reversed(told.stdout.split())), after


def _of_hg(repository: Any, first: str, last: str) -> _Found:
    if not _ID.fullmatch(first) or not _ID.fullmatch(last):
        raise DriverError(f"{first} {last} is no change of a Mercurial repository")
    try:
        low, high = (repository.changectx(rev).rev() for rev in (first, last))
    except TracError:
        # stripped again
        return [], _nothing
    return [str(number) for number in range(max(low, high - _MOST + 1), high + 1)], _nothing
