"""What a driver written in Python is made of: the same protocol, checks and end as src/kernel/driver-kit.ts."""

import json
import re
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Verb = Callable[[Any], Any]
"""What a driver does for a verb; its arguments are checked by the verb itself, for the caller is not trusted."""

RESOURCE_VERBS = ("read", "apply", "remove", "make", "stash", "unstash", "purge")
"""Those about one project; `list` is about all there are."""
PROJECT_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
JOB = re.compile(r"[a-z0-9-]{8,40}")

MAX_LINE = 1024 * 1024
MAX_CONNECTIONS = 24


class DriverError(Exception):
    """A refusal the daemon may show to people as it stands."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def checked_name(given: Any) -> str:
    """A project's name. Raises DriverError for what no project can be called."""
    if not isinstance(given, str) or not PROJECT_NAME.fullmatch(given):
        raise DriverError(f"{json.dumps(given)} is no project's name")
    return given


def checked_job(given: Any) -> str:
    """A job's name. Raises DriverError for what is no job."""
    if not isinstance(given, str) or not JOB.fullmatch(given):
        raise DriverError(f"{json.dumps(given)} is no job")
    return given


def resource_verbs(resources: Mapping[str, Mapping[str, Verb]]) -> dict[str, Verb]:
    """The verbs of `resources` by id, for serve: each call goes to the resource it names, after its arguments were
    checked again."""

    def resource_in(args: Mapping[str, Any]) -> str:
        resource = args.get("resource")
        if not isinstance(resource, str):
            raise DriverError("no resource is named")
        return resource

    def found(verb: str, args: Mapping[str, Any]) -> Verb:
        resource = resource_in(args)
        act = resources.get(resource, {}).get(verb)
        if act is None:
            raise DriverError(f"this driver can not {verb} {resource}")
        return act

    def about_one(verb: str) -> Verb:
        def act(given: Any) -> Any:
            args = given if isinstance(given, dict) else {}
            resource_in(args)
            project = args.get("project")
            name = checked_name(project.get("name") if isinstance(project, dict) else None)
            checked_job(args.get("job"))
            chosen = found(verb, args)
            with _in_turn(name):
                return chosen(args)

        return act

    def about_all(given: Any) -> Any:
        args = given if isinstance(given, dict) else {}
        return found("list", args)(args)

    return {"list": about_all, **{verb: about_one(verb) for verb in RESOURCE_VERBS}}


_turns: dict[str, tuple[threading.Lock, int]] = {}
_turning = threading.Lock()


@contextmanager
def _in_turn(project: str) -> Iterator[None]:
    """One verb at a time per project: a caller that gave up waiting and asks again must not meet its own first try."""
    with _turning:
        turn, here = _turns.get(project, (threading.Lock(), 0))
        _turns[project] = (turn, here + 1)
    try:
        with turn:
            yield
    finally:
        with _turning:
            turn, here = _turns.pop(project)
            if here > 1:
                _turns[project] = (turn, here - 1)


class _Activity:
    """How many connections, verbs and background tasks are under way, and since when there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = 0
        self._since = time.monotonic()

    def __enter__(self) -> None:
        with self._lock:
            self._busy += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._busy -= 1
            self._since = time.monotonic()

    def rested(self) -> float:
        """Seconds without work."""
        with self._lock:
            return 0.0 if self._busy > 0 else time.monotonic() - self._since

    def count(self) -> int:
        with self._lock:
            return self._busy


_activity = _Activity()


def in_background(task: Callable[[], None]) -> None:
    """Goes on with `task` after the verb has answered; the driver does not end before it. Its failure is only noted."""

    def run() -> None:
        with _activity:
            try:
                task()
            except Exception:
                traceback.print_exc()

    threading.Thread(target=run, daemon=True).start()


def serve(verbs: Mapping[str, Verb], idle_seconds: float = 120) -> None:
    """Serves the verbs on the socket systemd handed over (file descriptor 3) and returns when nobody has asked for
    `idle_seconds`: the next request starts the driver again."""
    listener = socket.socket(fileno=3)
    listener.setblocking(False)
    while (left := idle_seconds - _activity.rested()) > 0:
        # what comes while many are served waits in the socket's own queue
        if _activity.count() >= MAX_CONNECTIONS:
            time.sleep(0.02)
            continue
        ready, _, _ = select.select([listener], [], [], left)
        if not ready:
            continue
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        connection.setblocking(True)
        threading.Thread(target=_serve_connection, args=(connection, verbs, _begun()), daemon=True).start()


def _begun() -> _Activity:
    """Counts from before the thread starts, so that the driver can not end in between."""
    _activity.__enter__()
    return _activity


def _serve_connection(connection: socket.socket, verbs: Mapping[str, Verb], begun: _Activity) -> None:
    sending = threading.Lock()
    try:
        with connection, connection.makefile("rb") as lines:
            while True:
                line = lines.readline(MAX_LINE + 1)
                if not line or len(line) > MAX_LINE:
                    break
                # each line on its own: a slow one holds up no other
                threading.Thread(target=_answer, args=(line, verbs, connection, sending, _begun()), daemon=True).start()
            _settle(sending)
    except OSError:
        pass
    finally:
        begun.__exit__()


def _settle(sending: threading.Lock) -> None:
    """An answer that is just being written is written to its end."""
    with sending:
        return


def _answer(
    line: bytes, verbs: Mapping[str, Verb], connection: socket.socket, sending: threading.Lock, begun: _Activity
) -> None:
    try:
        reply = json.dumps(_reply(line, verbs)).encode() + b"\n"
        with sending:
            connection.sendall(reply)
    except OSError:
        pass  # a verb goes on when its caller has given up waiting
    finally:
        begun.__exit__()


def _reply(line: bytes, verbs: Mapping[str, Verb]) -> dict[str, Any]:
    number: Any = 0
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise DriverError("this is no request")
        number = request.get("id", 0)
        verb = request.get("verb")
        act = verbs.get(verb) if isinstance(verb, str) else None
        if act is None:
            raise DriverError(f"this driver has no verb {verb}")
        return {"id": number, "ok": True, "value": act(request.get("args"))}
    except DriverError as error:
        hint = {} if error.hint is None else {"hint": error.hint}
        return {"id": number, "ok": False, "message": error.message, **hint}
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        return {"id": number, "ok": False, "message": str(error) or type(error).__name__}
