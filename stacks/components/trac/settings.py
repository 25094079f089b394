"""conf/trac.ini of an environment: made from the facts, whole, each time.

Two things of a site survive: what administrators choose in Trac's own ticket pages, and conf/site.ini, which trac.ini
inherits from and wins over.
"""

import re
from configparser import ConfigParser, Error
from typing import Any

from driver_kit import DriverError

Sections = dict[str, dict[str, str]]

# written by the ticket pages under Admin
_CHOSEN = {
    "ticket": [f"default_{it}" for it in "component milestone priority resolution severity type version".split()],
    "milestone": ["default_retarget_to"],
}

_COMPONENTS = {
    "git": ["tracopt.versioncontrol.git.*"],
    "svn": ["tracopt.versioncontrol.svn.*"],
    "hg": ["tracext.hg.*"],
}

# what Trac takes for yes and no
_WORDS = {
    **dict.fromkeys(("yes", "true", "enabled", "on", "aye", "1"), True),
    **dict.fromkeys(("no", "false", "disabled", "off", "0"), False),
}

# pages that could run code, change paths or pretend to give rights; no role has them anyway
_WITHOUT = (
    "trac.admin.web_ui.BasicsAdminPanel",
    "trac.admin.web_ui.LoggingAdminPanel",
    "trac.admin.web_ui.PermissionAdminPanel",
    "trac.admin.web_ui.PluginAdminPanel",
    "trac.versioncontrol.admin.RepositoryAdminPanel",
    # acts in the name of whoever a commit says wrote it; the driver acts for the login that pushed
    "tracopt.ticket.commit_updater.CommitTicketUpdater",
)


def connector_of(project: dict[str, Any]) -> str:
    """Trac's word for the kind of the project's repository."""
    connector = _export(project, "vcs", "connector")
    if connector not in _COMPONENTS:
        raise DriverError(f"Trac has no connector {connector}")
    return connector


def repository_of(project: dict[str, Any]) -> str:
    """Directory of the project's repository. Raises DriverError for what is no plain path below /srv."""
    directory = _export(project, "vcs", "dir")
    if not re.fullmatch(r"/srv(/[a-z0-9][a-z0-9.-]*)+", directory) or "/.." in directory:
        raise DriverError(f"{directory} is no repository's directory")
    return directory


def settings_text(project: dict[str, Any], chosen: Sections) -> str:
    """The text of trac.ini for these facts."""
    connector = connector_of(project)
    url = _export(project, "tracker", "url")
    title = one_line(project.get("title"))
    sections: Sections = {
        "inherit": {"file": "site.ini", "plugins_dir": "", "templates_dir": "", "htdocs_dir": ""},
        "project": {"name": title, "descr": one_line(project.get("description")), "url": url},
        "trac": {
            "base_url": url,
            "database": "sqlite:db/trac.db",
            "permission_store": "RoleStore",
            # the first refuses for good what a role can't have; the stored permissions are asked by none
            "permission_policies": "RoleLimit, DefaultWikiPolicy, DefaultTicketPolicy, LegacyAttachmentPolicy, RoleGrant",
        },
        "components": {
            **{name: "enabled" for name in _COMPONENTS[connector]},
            "devserver_trac.*": "enabled",
            "tracopt.ticket.commit_updater.CommitTicketReferenceMacro": "enabled",
            **{name: "disabled" for name in _WITHOUT},
        },
        "logging": {"log_type": "stderr", "log_level": "WARNING"},
        "git": {"git_bin": "git", "cached_repository": "true"},
        "hg": {"show_rev": "true"},
        # the browser's login is the front's
        "metanav": {"login": "disabled", "logout": "disabled"},
        "ticket": {"restrict_owner": "true", **chosen.get("ticket", {})},
        "milestone": chosen.get("milestone", {}),
        "wiki": {"render_unsafe_content": "false"},
        "attachment": {"render_unsafe_content": "false"},
        "browser": {"render_unsafe_content": "false"},
        "notification": {"smtp_enabled": "false"},
    }
    head = "# Made from the project's facts; changes here are lost. A site's own settings belong into site.ini beside it.\n"
    return head + "".join(_section(name, values) for name, values in sections.items() if values)


def chosen_in(present: str | None) -> Sections:
    """What administrators chose in Trac's ticket pages, from the trac.ini that is there."""
    parser = _parsed(present)
    if parser is None:
        return {}
    return {
        section: {key: one_line(parser.get(section, key)) for key in keys if parser.has_option(section, key)}
        for section, keys in _CHOSEN.items()
    }


def difference(present: str | None, project: dict[str, Any], site: str | None) -> str | None:
    """In which way a trac.ini says something else than settings_text would; None: in none. Trac's own pages write the
    file anew: in another order, with other words for yes and no, and without what site.ini says as well."""
    found = _parsed(present)
    if found is None:
        return "conf/trac.ini is missing or can not be read"
    wanted, inherited = _parsed(settings_text(project, chosen_in(present))), _parsed(site)
    keys = {(section, key) for parser in (found, wanted) for section in parser.sections() for key in parser[section]}
    for section, key in sorted(keys):
        want = wanted.get(section, key, fallback=None)
        have = found.get(section, key, fallback=inherited.get(section, key, fallback=None) if inherited else None)
        if want is None and found.has_option(section, key):
            return f"conf/trac.ini sets [{section}] {key}, which it should not"
        if have != want and (section == "project" or _as_trac(have) != _as_trac(want)):
            return f"[{section}] {key} in conf/trac.ini was changed"
    return None


def one_line(value: Any) -> str:
    """Text as one line of configuration; nothing else in it means anything to Trac's reader of the file."""
    text = value if isinstance(value, str) else ""
    line = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DriverError("a text holds half a character") from error
    return line


def _parsed(text: str | None) -> ConfigParser | None:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(text or "")
    except Error:
        return None
    return parser if text else None


def _as_trac(value: str | None) -> str | bool | None:
    """What Trac makes of a value: lists without blanks, one word for yes and one for no."""
    if value is None:
        return None
    return _WORDS.get(value.lower(), re.sub(r"\s*,\s*", ",", value))


def _section(name: str, values: dict[str, str]) -> str:
    return f"\n[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


def _export(project: dict[str, Any], role: str, name: str) -> str:
    links = project.get("links")
    exports = links.get(role) if isinstance(links, dict) else None
    value = exports.get(name) if isinstance(exports, dict) else None
    if not isinstance(value, str) or value == "" or one_line(value) != value:
        raise DriverError(f"the facts lack links.{role}.{name}")
    return value
