"""The members of the project are the permissions. What the environment's database holds about them is never read."""

from trac.core import Component, TracError, implements
from trac.perm import IPermissionPolicy, IPermissionStore

from devserver_trac.facts import members_of
from devserver_trac.roles import conceivable, granted


class RoleLimit(Component):
    """First of the policies: refuses for good what the login's role can never have; no other policy widens that."""

    implements(IPermissionPolicy)

    def check_permission(self, action, username, resource, perm):
        return None if action in conceivable(self.env.name, username) else False


class RoleGrant(Component):
    """Last of the policies: allows what the role has. Trac's own policies in between may have refused a single page."""

    implements(IPermissionPolicy)

    def check_permission(self, action, username, resource, perm):
        return action in granted(self.env.name, username)


class RoleStore(Component):
    """In place of the permission table: the same roles, for the places of Trac that list people and their rights."""

    implements(IPermissionStore)

    def get_user_permissions(self, username):
        return sorted(granted(self.env.name, username))

    def get_users_with_permissions(self, permissions):
        wanted = set(permissions)
        return [user for user in members_of(self.env.name) if wanted & granted(self.env.name, user)]

    def get_all_permissions(self):
        return []

    def grant_permission(self, username, action):
        raise TracError("Permissions follow from the members of the project: change those.")

    revoke_permission = grant_permission
