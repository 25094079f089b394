# Trac for exactly the project the front has authorised: no index of environments, no path from the client.
import os
import re

os.environ["PYTHON_EGG_CACHE"] = "/var/cache/trac-eggs"
import trac.web.main

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]\Z")


def application(environ, start_response):
    project = environ.get("MATCH_PROJECT", "")
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    prefix = "/trac/" + project
    env = "/srv/trac/" + project
    if not NAME.match(project) or not environ.get("REMOTE_USER") or not (path + "/").startswith(prefix + "/"):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"403 Forbidden\n"]
    if not os.path.isfile(env + "/VERSION"):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"404 Not Found\n"]
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, path[len(prefix):]
    environ["trac.env_path"] = env
    return trac.web.main.dispatch_request(environ, start_response)
