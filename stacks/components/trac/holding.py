"""One act at a time on a project; different projects side by side."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_guard = threading.Lock()
_locks: dict[str, threading.RLock] = {}


@contextmanager
def held(name: str) -> Iterator[None]:
    """Waits until nobody else acts on `name`."""
    with _guard:
        lock = _locks.setdefault(name, threading.RLock())
    with lock:
        yield
