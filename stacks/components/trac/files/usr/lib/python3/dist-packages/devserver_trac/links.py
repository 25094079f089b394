"""Ways to the project's other parts: in the navigation, and as the head of the start page."""

import re

from trac.core import Component, implements
from trac.util.html import tag
from trac.web.chrome import INavigationContributor
from trac.wiki.macros import WikiMacroBase

from devserver_trac.facts import facts_of

_PARTS = (("repository", "Repository", "vcs", None), ("builds", "Builds", "ci", "ci"), ("packages", "Packages", "maven", "maven"))


def links_of(project):
    """Name, label and address of the parts this project has."""
    facts = facts_of(project)
    links = facts.get("links")
    for name, label, role, switch in _PARTS:
        exports = links.get(role) if isinstance(links, dict) else None
        url = exports.get("url") if isinstance(exports, dict) else None
        has_part = switch is None or facts.get(switch) is True
        if has_part and isinstance(url, str) and re.match(r"https?://", url):
            yield name, label, url


class ProjectLinks(Component):
    """The project's repository, builds and packages beside Wiki and Tickets."""

    implements(INavigationContributor)

    def get_active_navigation_item(self, req):
        return None

    def get_navigation_items(self, req):
        for name, label, url in links_of(self.env.name):
            yield "mainnav", name, tag.a(label, href=url)


class ProjectMacro(WikiMacroBase):
    """The project's title, description and parts as they are at this moment: `[[Project]]`."""

    def expand_macro(self, formatter, name, content, args=None):
        facts = facts_of(self.env.name)
        title = facts.get("title") or self.env.project_name
        description = facts.get("description") or ""
        clone = ((facts.get("links") or {}).get("vcs") or {}).get("clone")
        return tag.div(
            tag.h1(title),
            [tag.p(line) for line in description.split("\n") if line.strip()],
            tag.ul([tag.li(tag.a(label, href=url)) for _, label, url in links_of(self.env.name)]),
            tag.pre(clone, class_="wiki") if clone else None,
            class_="devserver-project",
        )

    def get_macros(self):
        yield "Project"
