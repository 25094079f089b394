"""What each role may do in a project's Trac. Closed lists: an action that stands nowhere here is nobody's."""

from devserver_trac.facts import is_archived, role_of

VIEW = frozenset(
    "BROWSER_VIEW CHANGESET_VIEW FILE_VIEW LOG_VIEW MILESTONE_VIEW REPORT_VIEW ROADMAP_VIEW SEARCH_VIEW "
    "TICKET_VIEW TIMELINE_VIEW WIKI_VIEW".split()
)
_DEVELOPER = frozenset(
    "EMAIL_VIEW TICKET_APPEND TICKET_BATCH_MODIFY TICKET_CHGPROP TICKET_CREATE TICKET_EDIT_CC TICKET_EDIT_DESCRIPTION "
    "TICKET_MODIFY WIKI_CREATE WIKI_MODIFY".split()
)
# not here: TRAC_ADMIN (plugins, paths, logging), PERMISSION_* (the members are the permissions), VERSIONCONTROL_ADMIN
# (the repository's path), CONFIG_VIEW
_ADMIN = frozenset(
    "MILESTONE_ADMIN MILESTONE_CREATE MILESTONE_DELETE MILESTONE_MODIFY REPORT_ADMIN REPORT_CREATE REPORT_DELETE "
    "REPORT_MODIFY REPORT_SQL_VIEW ROADMAP_ADMIN TICKET_ADMIN TICKET_EDIT_COMMENT WIKI_ADMIN WIKI_DELETE "
    "WIKI_RENAME".split()
)
GRANTED = {"reader": VIEW, "developer": VIEW | _DEVELOPER, "admin": VIEW | _DEVELOPER | _ADMIN}

# what Trac's own policies decide from the rights above and from whose ticket, comment or attachment it is
_VIEW_OWN = frozenset(["ATTACHMENT_VIEW"])
_WRITE_OWN = frozenset(
    "ATTACHMENT_CREATE ATTACHMENT_DELETE TICKET_CHG_MILESTONE TICKET_EDIT_COMMENT WIKI_CHANGE_READONLY".split()
)


def granted(project: str, user: str) -> frozenset[str]:
    """The actions a login has in a project at this moment."""
    role = role_of(project, user)
    if role is None:
        return frozenset()
    return VIEW if is_archived(project) else GRANTED[role]


def conceivable(project: str, user: str) -> frozenset[str]:
    """The actions that Trac's own policies may still allow or refuse; all others are refused."""
    role = role_of(project, user)
    if role is None:
        return frozenset()
    if role == "reader" or is_archived(project):
        return VIEW | _VIEW_OWN
    return GRANTED[role] | _VIEW_OWN | _WRITE_OWN
