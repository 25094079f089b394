"""Whether an environment out of a backup is one: its database is whole, and every attachment it knows is there."""

import hashlib
import re
import sqlite3
import sys
from pathlib import Path
from urllib.parse import quote

place = Path(sys.argv[1])
# not read-only: one that was open when it was copied puts itself in order first
connection = sqlite3.connect(f"file:{quote(str(place / 'db/trac.db'))}?mode=rw", uri=True)
faults = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
if not faults:
    connection.execute("SELECT value FROM system WHERE name = 'database_version'").fetchone()
    for kind, parent, name in connection.execute("SELECT type, id, filename FROM attachment"):
        # as Trac names them: the digests of what they belong to and of their own name
        digest = hashlib.sha1(parent.encode()).hexdigest()
        suffix = re.search(r"\.[A-Za-z0-9]+\Z", name)
        file = hashlib.sha1(name.encode()).hexdigest() + (suffix.group() if suffix else "")
        if not (place / "files/attachments" / kind / digest[:3] / digest / file).is_file():
            faults.append(f"the attachment {name} of {kind} {parent} is missing")
for fault in faults[:20]:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
