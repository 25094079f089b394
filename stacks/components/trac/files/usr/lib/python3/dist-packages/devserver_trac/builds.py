"""Finished builds in the project's timeline; the driver of Trac writes the table."""

from trac.core import Component, implements
from trac.timeline.api import ITimelineEventProvider
from trac.util.datefmt import from_utimestamp, to_utimestamp
from trac.util.html import tag

TABLE = """CREATE TABLE IF NOT EXISTS devserver_build (
  number INTEGER NOT NULL, url TEXT NOT NULL, result TEXT NOT NULL, seconds REAL NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY (number, url))"""


class Builds(Component):
    """One line in the timeline for each finished build."""

    implements(ITimelineEventProvider)

    def get_timeline_filters(self, req):
        if "TIMELINE_VIEW" in req.perm:
            yield "build", "Finished builds"

    def get_timeline_events(self, req, start, stop, filters):
        if "build" not in filters:
            return
        for number, url, result, seconds, time in self.env.db_query(
            "SELECT number, url, result, seconds, time FROM devserver_build WHERE time >= %s AND time < %s",
            (to_utimestamp(start), to_utimestamp(stop)),
        ):
            yield "build", from_utimestamp(time), "", (number, url, result, seconds)

    def render_timeline_event(self, context, field, event):
        number, url, result, seconds = event[3]
        if field == "url":
            return url or context.href.timeline()
        if field == "title":
            return tag("Build ", tag.em(f"#{number}"), f": {result.lower()}")
        return f"after {seconds:.0f} s" if field == "description" else None
