# Makes a Mercurial repository in the folder given, with the first commit that standard input holds as JSON
# (null: none). The commit is put together in memory: there is no working copy and no configuration.
import base64
import json
import sys

from mercurial import demandimport

demandimport.enable()
from mercurial import context, hg, phases, ui as uimod


def main(folder, seed):
    ui = uimod.ui.load()
    # it is there for everybody from the start
    ui.setconfig(b"phases", b"new-commit", b"public", b"devserver")
    repo = hg.repository(ui, folder, create=True)
    if seed is None or not seed["files"]:
        return
    files = {file["path"].encode(): file for file in seed["files"]}

    def content(repo, ctx, path):
        file = files[path]
        data = file["text"].encode() if "text" in file else base64.b64decode(file["base64"])
        return context.memfilectx(repo, ctx, path, data, isexec=file["executable"])

    author = seed["author"]
    user = "%s <%s>" % (author["name"], author["mail"]) if author["mail"] else author["name"]
    commit = context.memctx(
        repo, (repo.nullid, None), seed["message"].strip().encode(), sorted(files), content, user=user.encode()
    )
    with repo.lock():
        repo.commitctx(commit)


main(sys.argv[1].encode(), json.load(sys.stdin))
