import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../support/real.ts';
import { describeStore, type Verb } from '../support/store-contract.ts';

/**
 * The store in a process of its own, asked by JSON lines. Every change of the disk is noted, and can be the one before which
 * it dies: also each single one of a deletion.
 */
const harness = `
import io, json, os, subprocess, sys, threading
from pathlib import Path
import driver_store
from driver_kit import DriverError
from driver_store import Store, lack_of

class Killed(BaseException): pass
seen, limit, race = [], None, None
def watch(owner, name, label, changes=lambda *_, **__: True):
    real = getattr(owner, name)
    def watched(*args, **kwargs):
        if changes(*args, **kwargs):
            if limit is not None and len(seen) >= limit: raise Killed
            seen.append(label)
        return real(*args, **kwargs)
    setattr(owner, name, watched)
for name in ("mkdir", "rename", "unlink", "rmdir"): watch(os, name, name)
watch(os, "fsync", "fsync")
watch(subprocess, "run", "sync", lambda argv, **_: argv[0] == "sync")
watch(io, "open", "write", lambda file, mode="r", *_, **__: any(it in mode for it in "wxa+"))

def build(folder):
    for name in ("one", "two"): (folder / name).write_text(name)
    if race is not None: race.wait()
def verbs(store, name, job):
    return {"make": lambda: store.make(name, job, build), "remove": lambda: store.remove_made(name, job),
            "stash": lambda: store.stash(name, job), "unstash": lambda: store.unstash(name, job),
            "purge": lambda: store.purge(job), "read": lambda: store.read(name), "list": store.names,
            "present": lambda: str(store.present_place(name)), "lacks": lambda: lack_of(store.root, job.split()),
            "text": lambda: driver_store.plain_text(store.root / name)}
def tried(act):
    try:
        return {"value": act()}
    except Killed:
        return {"error": "killed"}
    except DriverError as error:
        return {"error": error.message}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
for line in sys.stdin:
    asked = json.loads(line)
    store = Store(Path(asked["root"]), ".git")
    seen.clear()
    if asked["verb"] == "race":
        race, ends = threading.Barrier(2), {}
        def one(job): ends[job] = tried(verbs(store, asked["name"], job)["make"])
        threads = [threading.Thread(target=one, args=(job,)) for job in asked["jobs"]]
        for it in threads: it.start()
        for it in threads: it.join()
        race = None
        answer = {"value": [ends[job].get("error") for job in asked["jobs"]]}
    else:
        limit = asked.get("killBefore")
        answer = tried(verbs(store, asked["name"], asked["job"])[asked["verb"]])
        limit = None
    print(json.dumps({**answer, "changes": list(seen)}), flush=True)
`;
// 3.11 is what the kit is written for; the oldest of the bases has 3.12
const newEnough = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status === 0;

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
  readonly changes: readonly string[];
}

let child: ChildProcess;
let answers: AsyncIterator<string>;
let folder = '';

async function tell(request: object): Promise<Answer> {
  child.stdin?.write(`${JSON.stringify(request)}\n`);
  const { value } = await answers.next();
  return JSON.parse(value as string) as Answer;
}

async function ask(request: object): Promise<unknown> {
  const { value, error } = await tell(request);
  if (error !== undefined) throw new Error(error);
  return value;
}

describe.skipIf(!newEnough)('the store in Python (needs Python 3.11)', () => {
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'python-store-'));
    writeFileSync(path.join(folder, 'harness.py'), harness);
    child = spawn('python3', [path.join(folder, 'harness.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONPATH: path.join(checkout, 'provision/python'), PYTHONDONTWRITEBYTECODE: '1' },
    });
    if (child.stdout === null) throw new Error('no output');
    answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  });
  afterAll(() => {
    child?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  describeStore({
    act: (root: string, verb: Verb, name: string, job: string, killBefore?: number) => ask({ root, verb, name, job, killBefore }),
    race: async (root, name, jobs) =>
      ((await ask({ root, verb: 'race', name, jobs })) as (string | null)[]).map((it) => it ?? undefined),
  });

  it('has all on the disk before it is published, and every new name after it', async () => {
    const root = path.join(folder, 'flushed');
    mkdirSync(path.join(root, '.stash'), { recursive: true });
    const changes = async (verb: string): Promise<readonly string[]> =>
      (await tell({ root, verb, name: 'shop', job: 'job-0001' })).changes;
    expect((await changes('make')).slice(-3)).toEqual(['sync', 'rename', 'fsync']);
    expect(await changes('stash')).toEqual(['rename', 'fsync', 'fsync']);
    expect(await changes('unstash')).toEqual(['rename', 'fsync', 'fsync']);
    // what an earlier try left goes first
    expect((await changes('remove')).slice(0, 3)).toEqual(['unlink', 'rename', 'fsync']);
    for (const verb of ['make', 'stash']) await changes(verb);
    expect((await changes('purge')).slice(0, 3)).toEqual(['unlink', 'rename', 'fsync']);
  });

  it('names what is missing, and reads plain text alone', async () => {
    const root = path.join(folder, 'texts');
    mkdirSync(path.join(root, 'a-folder'), { recursive: true });
    for (const [name, text] of [
      ['text', 'ä'],
      ['bytes', Buffer.from([0xff])],
      ['huge', Buffer.alloc(1024 * 1024 + 1)],
    ] as const)
      writeFileSync(path.join(root, name), text);
    symlinkSync('text', path.join(root, 'link'));
    const text = (name: string): Promise<unknown> => ask({ root, verb: 'text', name, job: '' });
    expect(await text('text')).toBe('ä');
    for (const name of ['bytes', 'huge', 'link', 'a-folder', 'nothing']) expect([name, await text(name)]).toEqual([name, null]);
    const lacks = (paths: string): Promise<unknown> => ask({ root, verb: 'lacks', name: '', job: paths });
    expect(await lacks('text link')).toBeNull();
    expect(await lacks('text HEAD')).toBe('HEAD is missing');
    expect(await lacks('HEAD refs')).toBe('HEAD, refs are missing');
  });
});
