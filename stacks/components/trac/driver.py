"""The driver of Trac: one environment per project, made from a template; commits and builds told to it."""

from driver_kit import resource_verbs, serve
from environments import environment_verbs, prepare_template
from events import tell


def bootstrap(_: object) -> None:
    """Has the template ready before the first project wants it."""
    prepare_template()


if __name__ == "__main__":
    serve({**resource_verbs({"environment": environment_verbs()}), "event": tell, "bootstrap": bootstrap})
