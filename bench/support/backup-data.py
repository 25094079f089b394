"""Fills the folders of projects with mixed data that nobody has twice: packs and jars that do not compress, logs and texts
that do. Arguments: bytes in all, seed, and the projects. What is there already stays."""

import os
import random
import sys
from pathlib import Path

total, seed, projects = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
draw = random.Random(seed)
words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 11))) for _ in range(5000)]


def text(size: int) -> bytes:
    lines = []
    length = 0
    while length < size:
        line = f"{draw.randint(0, 1 << 40):x} [INFO] {' '.join(draw.choices(words, k=12))}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def put(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return len(content)


written = {"packs": 0, "jars": 0, "logs": 0, "files": 0}
share = {"packs": 0.35, "jars": 0.35, "logs": 0.2, "files": 0.1}
count = 0
while sum(written.values()) < total:
    kind = min(written, key=lambda it: written[it] / share[it])
    name = projects[count % len(projects)]
    count += 1
    mark = f"{seed}-{count}"
    if kind == "packs":
        size = draw.randint(5_000_000, 60_000_000)
        written[kind] += put(Path(f"/srv/git/{name}.git/objects/pack/pack-{mark}.pack"), draw.randbytes(size))
    elif kind == "jars":
        size = draw.randint(20_000, 900_000)
        body = draw.randbytes(size * 9 // 10) + text(size // 10)
        written[kind] += put(Path(f"/srv/maven/repositories/{name}/org/example/m{count % 40}/{mark}/m-{mark}.jar"), body)
    elif kind == "logs":
        written[kind] += put(Path(f"/srv/ci/hudson/jobs/{name}/builds/{mark}/log"), text(draw.randint(2_000, 200_000)))
    else:
        written[kind] += put(Path(f"/srv/trac/{name}/files/attachments/ticket/{count % 97:x}/{mark}.txt"), text(draw.randint(200, 20_000)))
os.sync()
print(count)
