"""A driver's own directory with one entry per project; the same steps and files as src/kernel/driver-store.ts."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from driver_kit import JOB, DriverError, checked_job, checked_name

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
    may write in it."""

    root: Path
    suffix: str = ""

    def place_of(self, name: str) -> Path:
        """Where a project's data is. Raises DriverError for a name no project can have."""
        return self.root / f"{checked_name(name)}{self.suffix}"

    def stash_of(self, job: str) -> Path:
        """Where a job's deleted data lies. Raises DriverError for what is no job."""
        return self.root / ".stash" / f"{checked_job(job)}{self.suffix}"

    def read(self, name: str) -> Stored:
        """Whether the data is there; a link or a file in its place is an error."""
        place = self.place_of(name)
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            return {"present": False}
        if not stat.S_ISDIR(mode):
            raise DriverError(f"{place} is not a directory", "somebody put it there by hand: look at it")
        job = (plain_text(place / MARKER) or "").strip()
        return {"present": True, "job": job} if JOB.fullmatch(job) else {"present": True}

    def make(self, name: str, job: str, build: Callable[[Path], None]) -> None:
        """Makes a project's data, whole or not at all: `build` fills a directory beside its place, which one rename then
        publishes. Asked again by the same job it does nothing. Raises DriverError when something else is there."""
        place = self.place_of(name)
        present = self.read(name)
        if present["present"]:
            if present.get("job") == job:
                return
            raise DriverError(f"there is already something at {place}", "choose another name")
        fresh = self._fresh_of(job)
        _delete(fresh)
        fresh.mkdir(parents=True, mode=0o750)
        build(fresh)
        (fresh / MARKER).write_text(f"{job}\n", "utf-8")
        flush(fresh / MARKER)
        flush(fresh)
        # of a directory: the kernel refuses to put it where one with content is
        os.rename(fresh, place)
        flush(self.root)

    def remove_made(self, name: str, job: str) -> None:
        """Takes back what this job made, half-made things too. Raises DriverError when what is there is another job's."""
        gone = self._fresh_of(job)
        _delete(gone)
        present = self.read(name)
        if not present["present"]:
            return
        if present.get("job") != job:
            raise DriverError(f"{self.place_of(name)} was not made by this job", "it is left as it is")
        os.rename(self.place_of(name), gone)
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
        _delete(self.stash_of(job))
        _delete(self._fresh_of(job))

    def _move(self, source: Path, target: Path) -> None:
        if not source.exists():
            if target.exists():
                return
            raise DriverError(f"the data at {source} is missing", "restore it from a backup")
        if target.exists():
            raise DriverError(f"there is already something at {target}", "somebody put it there by hand: look at it")
        os.rename(source, target)
        flush(self.root)
        flush(self.root / ".stash")

    def _fresh_of(self, job: str) -> Path:
        """What is being made, or half deleted."""
        stash = self.stash_of(job)
        return stash.with_name(f"{stash.name}.new")


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
        return os.read(descriptor, limit).decode("utf-8")
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


def _delete(target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
