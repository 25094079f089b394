import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { factsOf } from '../e2e/support/tracker.ts';
import { checkout } from '../support/real.ts';

// 3.11 is what the driver is written for; the oldest of the bases has 3.12
const newEnough = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status === 0;
const folder = mkdtempSync(path.join(tmpdir(), 'trac-difference-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The driver's own verbs over an environment that Trac never saw: a database with its tables, VERSION, the settings. */
const head = `
import json, os, shutil, sqlite3, sys
from pathlib import Path
import environments
from driver_kit import DriverError
from driver_store import Store

project = json.loads(sys.argv[1])
root = Path(sys.argv[2])
template = root / ".template" / "x"
for part in ("conf", "db"):
    (template / part).mkdir(parents=True)
(root / ".stash").mkdir()
(template / "VERSION").write_text("Trac Environment Version 1\\n")
(template / "conf" / "trac.ini").write_text("")
(template / "conf" / "site.ini").write_text("[wiki]\\nrender_unsafe_content = disabled\\n")
database = sqlite3.connect(template / "db" / "trac.db")
database.execute("CREATE TABLE repository (id INTEGER, name TEXT, value TEXT, UNIQUE (id, name))")
database.execute("CREATE TABLE wiki (name TEXT, version INTEGER, time INTEGER, author TEXT, text TEXT, comment TEXT, readonly INTEGER, UNIQUE (name, version))")
database.execute("INSERT INTO wiki (name, version) VALUES ('WikiStart', 1)")
database.commit()
environments.STORE = Store(root)
environments.prepare_template = lambda: template
environments.in_background = lambda _: None
verbs = environments.environment_verbs()
ask = lambda verb: verbs[verb]({"resource": "environment", "project": project, "job": "job-0001"})
silent = {"present": True, "job": "job-0001"}
place = root / project["name"]
ini = place / "conf" / "trac.ini"
ask("make")
assert ask("read") == silent, ask("read")
def expect(said, heal=True):
    seen = ask("read")
    assert said in seen.get("differs", ""), (said, seen)
    if heal:
        ask("apply")
        assert ask("read") == silent, ask("read")
def edit(change):
    ini.write_text(change(ini.read_text()))
def rows(statement):
    with environments.rows_of(place) as database:
        database.execute(statement)
`;

let count = 0;
/** Runs a Python program after `head`; its exception is the answer. */
function python(program: string, title = 'Läden [x] % # = "ja"'): string {
  count += 1;
  const root = path.join(folder, `store-${count}`);
  const file = path.join(folder, `${count}.py`);
  writeFileSync(file, head + program);
  const project = factsOf('https://test', { name: 'shop', title, description: 'one\ntwo' });
  const { stderr } = spawnSync('python3', [file, JSON.stringify(project), root], {
    encoding: 'utf8',
    timeout: 100_000,
    env: {
      ...process.env,
      PYTHONPATH: `${checkout}/provision/python:${checkout}/stacks/components/trac`,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  return stderr;
}

describe.skipIf(!newEnough)('the driver of Trac', () => {
  it('tells which setting was changed by hand, and is silent once it is applied again', () => {
    const program = `
edit(lambda it: it.replace("RoleLimit, ", ""))
expect("[trac] permission_policies")
edit(lambda it: it.replace("smtp_enabled = false", "smtp_enabled = true"))
expect("[notification] smtp_enabled")
edit(lambda it: it + "\\n[inherit2]\\nx = 1\\n")
expect("sets [inherit2] x")
edit(lambda it: it.replace("plugins_dir = ", "plugins_dir = /tmp"))
expect("[inherit] plugins_dir")
edit(lambda it: it.replace("Läden", "Laden"))
expect("[project] name")
edit(lambda it: "no section\\n" + it)
expect("can not be read")
ini.write_bytes(b"\\xff\\xfe")
expect("can not be read")
(place / "VERSION").unlink()
expect("VERSION is missing")
rows("UPDATE repository SET value = '/srv/git/other.git' WHERE name = 'dir'")
expect("another repository")
rows("DELETE FROM repository")
expect("another repository")
`;
    expect(python(program)).toBe('');
    expect(python('', 'on')).toBe('');
  });

  it('follows no link and waits for no pipe in place of the settings', () => {
    const program = `
for put in (lambda: os.mkfifo(ini), lambda: ini.symlink_to("site.ini"), lambda: (ini / "x").mkdir(parents=True)):
    ini.unlink()
    put()
    expect("can not be read")
assert (place / "conf" / "site.ini").read_text().startswith("[wiki]")
ini.with_name("trac.ini.new").symlink_to("site.ini")
ini.unlink()
expect("missing")
assert (place / "conf" / "site.ini").read_text().startswith("[wiki]")
(place / "devserver-job").unlink()
os.mkfifo(place / "devserver-job")
assert ask("read") == {"present": True}
shutil.move(place / "conf", root / "away")
(place / "conf").symlink_to(root / "away")
expect("conf is a link", heal=False)
try:
    ask("apply")
    raise SystemExit("applied through a link")
except DriverError:
    pass
`;
    expect(python(program)).toBe('');
  });

  it('says nothing of what people choose in Trac, or of the file as Trac writes it', () => {
    const program = `
from configparser import ConfigParser
edit(lambda it: it.replace("restrict_owner = true", "restrict_owner = true\\ndefault_type = task\\ndefault_component ="))
assert ask("read") == silent, ask("read")
mine = ConfigParser(interpolation=None)
mine.read_string(ini.read_text())
as_trac = ConfigParser(interpolation=None)
words = {"true": "enabled", "false": "disabled"}
written = lambda value: words.get(value, value.replace(", ", ","))
for section in sorted(mine.sections()):
    # site.ini beside it says that one as well
    options = {key: value if section == "project" else written(value) for key, value in sorted(mine[section].items()) if section != "wiki"}
    if options: as_trac[section] = options
with ini.open("w") as file:
    as_trac.write(file)
assert ask("read") == silent, ask("read")
ask("apply")
assert ask("read") == silent and "default_type = task" in ini.read_text()
rows("INSERT INTO repository VALUES (1, 'youngest_rev', 'x'), (2, 'name', 'second')")
rows("UPDATE wiki SET text = 'mine'")
assert ask("read") == silent, ask("read")
`;
    expect(python(program)).toBe('');
  });

  it('tells a missing database from what is derived, and makes none', () => {
    const program = `
(place / "db" / "trac.db").unlink()
seen = ask("read")
assert seen == {**silent, "lacks": "db/trac.db is missing"}, seen
try:
    ask("apply")
    raise SystemExit("applied without a database")
except DriverError as error:
    assert "is missing" in error.message and not (place / "db" / "trac.db").exists()
(place / "db" / "trac.db").write_text("no database" * 100)
try:
    ask("read")
    raise SystemExit("read what is no database")
except DriverError as error:
    assert "can not be read" in error.message
`;
    expect(python(program)).toBe('');
  });
});
