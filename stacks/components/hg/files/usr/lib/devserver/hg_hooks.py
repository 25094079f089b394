# Hooks of hgweb, named in hgweb.config and run in its process: no other program is started.
import os
import time
from urllib.parse import unquote_to_bytes

SPOOL = b"/srv/spool/hg"
BRANCH = b"default"


def before(repo, **_more):
    """prechangegroup: remembers the heads, for afterwards they are hard to tell."""
    repo.unfiltered().devserver_heads = repo.branchheads(BRANCH)


def protect(ui, repo, **_more):
    """pretxnchangegroup: the open heads there were lie below the open heads there are, and there are no more of them."""
    if os.path.exists(repo.vfs.join(b"devserver-unprotected")):
        return False
    old = repo.unfiltered().devserver_heads
    new = repo.branchheads(BRANCH)
    if not old:
        return False
    if len(new) > len(old):
        ui.warn(b"the branch default is protected: a push may not give it another head; merge first\n")
        return True
    if not all(any(repo.changelog.isancestor(head, above) for above in new) for head in old):
        ui.warn(b"the branch default is protected: its head may not be closed or left aside\n")
        return True
    return False


def hint(ui, repo, node, node_last, url=b"", **_more):
    """changegroup: the daemon reads the file and tells others. The push is done, whatever happens here."""
    # remote:https:HOST:USER, both quoted; https://www.mercurial-scm.org/wiki/Hook, "url"
    user = unquote_to_bytes(url.rsplit(b":", 1)[1]) if url.startswith(b"remote:http") else b""
    name = b"%d-%d" % (time.time_ns(), os.getpid())
    text = b"project %s\nuser %s\nchange %s %s\n" % (os.path.basename(repo.root), user, node, node_last)
    try:
        file = os.open(os.path.join(SPOOL, b"." + name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(file, "wb") as out:
            out.write(text)
        os.rename(os.path.join(SPOOL, b"." + name), os.path.join(SPOOL, name))
    except OSError:
        ui.warn(b"the push is stored, but the appliance could not be told of it\n")
