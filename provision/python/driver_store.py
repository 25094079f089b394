"""A driver's own directory with one entry per project; the same steps and files as src/kernel/driver-store.ts."""

import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from driver_kit import JOB, PROJECT_NAME, DriverError, checked_job, checked_name

MARKER = "devserver-job"
"""File in a project's data that names the job that made it: rollback removes nothing else."""


class Stored(TypedDict, total=False):
    """What `read` says of a project's data: whether it is there and which job made it; what of its configuration `apply`
    would make otherwise, and what of the data itself is missing."""

    present: bool
    job: str
    differs: str
    lacks: str


@dataclass(frozen=True)
class Store:
    """One entry per project, and `.stash` beside them for what is being made or was deleted. Only the driver's account
    may write in it, and nobody else below the entries' names."""

    root: Path
    suffix: str = ""

    def place_of(self, name: str) -> Path:
        """Where a project's data is. Raises DriverError for a name no project can have."""
        return self.root / f"{checked_name(name)}{self.suffix}"

    def stash_of(self, job: str) -> Path:
        """Where a job's deleted data lies. Raises DriverError for what is no job."""
        folder = self.root / ".stash"
        _is_there(folder)
        return folder / f"{checked_job(job)}{self.suffix}"

    def names(self) -> list[str]:
        """The projects whose place is taken, by whatever: what is there is for `read` to say. Names no project has are
        left out."""
        entries = (entry for entry in os.listdir(self.root) if entry.endswith(self.suffix))
        names = (entry.removesuffix(self.suffix) for entry in entries)
        return sorted(name for name in names if PROJECT_NAME.fullmatch(name))

    def read(self, name: str) -> Stored:
        """Whether the data is there; a link or a file in its place is an error."""
        place = self.place_of(name)
        if not _is_there(place):
            return {"present": False}
        job = (plain_text(place / MARKER) or "").strip()
        return {"present": True, "job": job} if JOB.fullmatch(job) else {"present": True}

    def present_place(self, name: str) -> Path:
        """Where the data is that must be there. Raises DriverError when it is missing: it is never made again empty."""
        place = self.place_of(name)
        if not _is_there(place):
            raise _missing(place)
        return place

    def make(self, name: str, job: str, build: Callable[[Path], None]) -> None:
        """Makes a project's data, whole or not at all: `build` fills a directory beside its place, which one rename then
        publishes. Asked again by the same job it does nothing. Raises DriverError when something else is there."""
        place = self.place_of(name)
        fresh = self._fresh_of(job)
        present = self.read(name)
        if present["present"]:
            if present.get("job") == job:
                return
            raise _taken(place)
        _delete(fresh)
        fresh.mkdir(parents=True, mode=0o750)
        build(fresh)
        with (fresh / MARKER).open("x", encoding="utf-8") as file:
            file.write(f"{job}\n")
        _flush_below(fresh)
        _publish(fresh, place)
        flush(self.root)

    def remove_made(self, name: str, job: str) -> None:
        """Takes back what this job made, half-made things too. Raises DriverError when what is there is another job's."""
        place = self.place_of(name)
        gone = self._fresh_of(job)
        _delete(gone)
        present = self.read(name)
        if not present["present"]:
            return
        if present.get("job") != job:
            raise DriverError(f"{place} was not made by this job", "it is left as it is")
        os.rename(place, gone)
        flush(self.root)
        _delete(gone)

    def stash(self, name: str, job: str) -> None:
        """Moves a project's data to the stash of a job; done already is fine. Raises DriverError when it is nowhere."""
        self._move(self.place_of(name), self.stash_of(job))

    def unstash(self, name: str, job: str) -> None:
        """Moves it back."""
        self._move(self.stash_of(job), self.place_of(name))

    def purge(self, job: str) -> None:
        """Deletes the stash of a job."""
        stash = self.stash_of(job)
        gone = self._fresh_of(job)
        _delete(gone)
        if not _is_there(stash):
            return
        # first out of the way: nothing half deleted may ever be taken for the stash
        os.rename(stash, gone)
        flush(stash.parent)
        _delete(gone)

    def _move(self, source: Path, target: Path) -> None:
        if not _is_there(source):
            if _is_there(target):
                return
            raise _missing(source)
        if _is_there(target):
            raise _taken(target)
        _publish(source, target)
        flush(self.root)
        flush(self.root / ".stash")

    def _fresh_of(self, job: str) -> Path:
        """What is being made, or half deleted."""
        stash = self.stash_of(job)
        return stash.with_name(f"{stash.name}.new")


def lack_of(place: Path, essential: Sequence[str]) -> str | None:
    """Which of the paths below `place` that make it what it is are missing; None: none."""
    gone = [it for it in essential if not os.path.lexists(place / it)]
    return f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} missing" if gone else None


def plain_text(file: Path, limit: int = 1024 * 1024) -> str | None:
    """The text of a plain file, never of what a link or a pipe in its place leads to. None: there is none, it is huge or
    no text."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        with open(descriptor, "rb", closefd=False) as opened:
            return opened.read(limit).decode("utf-8")
    except UnicodeDecodeError:
        return None
    finally:
        os.close(descriptor)


def flush(target: Path) -> None:
    """Returns when a file or directory is on the disk."""
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_below(folder: Path) -> None:
    """By the whole file system at once: over many small files that is ten times as quick as one by one."""
    subprocess.run(["sync", "--file-system", "--", str(folder)], check=True, stdin=subprocess.DEVNULL)


def _publish(source: Path, target: Path) -> None:
    """A directory's rename: the kernel refuses to put it where one with content is."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise _taken(target) from error
        raise


def _is_there(place: Path) -> bool:
    """Whether a directory is there. Raises DriverError for anything else in its place: a link would lead out of the
    store."""
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        raise DriverError(f"{place} is not a directory", "somebody put it there by hand: look at it")
    return True


def _delete(target: Path) -> None:
    """Whatever it is; of a link the link itself."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _missing(place: Path) -> DriverError:
    return DriverError(f"the data at {place} is missing", "restore it from a backup")


def _taken(place: Path) -> DriverError:
    return DriverError(
        f"there is already something at {place}", "choose another name, or look at what somebody put there"
    )
