"""Our own tables in an environment's database."""

from devserver_trac.builds import TABLE as BUILDS

TABLES = (
    BUILDS,
    # commits that were heard, so that an event told twice comments once
    "CREATE TABLE IF NOT EXISTS devserver_heard (rev TEXT PRIMARY KEY)",
    # how far each branch was heard: a new branch brings no old commits along
    "CREATE TABLE IF NOT EXISTS devserver_head (ref TEXT PRIMARY KEY, rev TEXT NOT NULL)",
)
