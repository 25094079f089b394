# hgweb for exactly the project the front has authorised (MATCH_PROJECT comes from Apache's <LocationMatch>).
# No index, no list of repositories to go stale, no path taken from the client. Reads get an hgweb that
# allows nobody to push, whatever command, batch or X-HgArg header they carry.
import os
import re

os.environ["HGRCPATH"] = "/etc/devserver/hgweb.config"
os.environ["HGRCSKIPREPO"] = "1"
os.environ["HGPLAIN"] = "1"

from mercurial import demandimport

demandimport.enable()
from mercurial import extensions, ui as uimod
from mercurial.hgweb import hgweb_mod

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]\Z")
ROOT = b"/srv/hg/"


def base_ui(push):
    u = uimod.ui.load()
    extensions.loadall(u)
    u.setconfig(b"web", b"allow-push", b"*" if push else b"", b"front")
    return u


UI = {push: base_ui(push) for push in (False, True)}


def refuse(start_response, status):
    start_response(status, [("Content-Type", "text/plain")])
    return [status.encode() + b"\n"]


def application(environ, start_response):
    project = environ.get("MATCH_PROJECT", "")
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    prefix = "/hg/" + project
    if not NAME.match(project) or not environ.get("REMOTE_USER") or not (path + "/").startswith(prefix + "/"):
        return refuse(start_response, "403 Forbidden")
    repo = ROOT + project.encode()
    if not os.path.isdir(repo + b"/.hg"):
        return refuse(start_response, "404 Not Found")
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, path[len(prefix):]
    push = environ["REQUEST_METHOD"] not in ("GET", "HEAD")
    return hgweb_mod.hgweb(repo, name=project.encode(), baseui=UI[push])(environ, start_response)
