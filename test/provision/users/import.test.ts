import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../provision/commands/context.ts';
import { importUsers } from '../../../provision/commands/user-import.ts';
import { asker, worldOffice } from '../../support/office-world.ts';

let dir = '';
let office: ReturnType<typeof worldOffice>;
/** Words to the directory that fail. */
let broken: readonly string[] = [];
let said: unknown[] = [];
let context: CommandContext;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'import-'));
  mkdirSync(path.join(dir, 'files'));
  [broken, said] = [[], []];
  office = worldOffice(dir, async (what, name) => {
    if (broken.some((it) => it === what || it === `${what} ${name}`)) throw new Error(`${what} is broken`);
  });
  const ask = asker(office);
  const send = (method: string, at: string, body?: unknown): Promise<unknown> => ask(`${method} ${at}`, body);
  context = { api: { send }, result: (...it: unknown[]) => void said.push(it) } as unknown as CommandContext;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const names = (): string[] => [...office.directory.people.keys()].sort();
const imported = (...lines: readonly string[]): Promise<void> => {
  writeFileSync(path.join(dir, 'people.yaml'), `${lines.join('\n')}\n`);
  return importUsers(path.join(dir, 'people.yaml'), context);
};

describe('devserver user import', () => {
  it('adds all people of a list', async () => {
    await imported('- {name: ann, fullName: Ann, creator: true}', '- name: bob', '  password: good-Passw0rd');
    expect(names()).toEqual(['ann', 'bob', 'root-admin']);
    expect(said).toEqual([
      [
        expect.stringMatching(/^ann; password, shown this once: \w{16}\nbob$/),
        { added: [expect.objectContaining({ creator: true }), expect.objectContaining({ name: 'bob' })] },
      ],
    ]);
  });

  it('tells every fault at once, with its line, and adds nobody', async () => {
    const file = path.join(dir, 'people.yaml');
    await expect(
      imported(
        '- {name: ann}',
        '- {name: root-admin}',
        '- {name: X}',
        '- name: bob',
        '  pasword: x',
        '- {name: eve, password: short}',
        '- {name: admins, mail: nowhere}',
        '- {name: services}',
        '- {name: ann, fullName: Another}',
        '- just a name',
      ),
    ).rejects.toMatchObject({
      exitCode: 3,
      details: [
        `${file}:2:4: there is already a user root-admin`,
        expect.stringMatching(/:3:4: 0?2?.*name: a name has 3 to 32 characters/) as string,
        expect.stringContaining(`${file}:5:3: unknown key "pasword"`) as string,
        `${file}:6:4: The new password needs at least 10 characters.`,
        expect.stringMatching(/:7:18: .*mail/) as string,
        `${file}:8:4: the name services is reserved`,
        `${file}:9:4: ann stands in line 1 already`,
        expect.stringMatching(/:10:3: /) as string,
      ],
    });
    expect(names()).toEqual(['root-admin']);
    expect(said).toEqual([]);
  });

  it.each([
    ['no YAML', '- {name: ann'],
    ['no list', 'name: ann'],
    ['nothing', ''],
  ])('refuses %s', async (_what, text) => {
    await expect(imported(text)).rejects.toMatchObject({ exitCode: 3 });
    expect(names()).toEqual(['root-admin']);
  });

  it('says that the directory is away, once, and not of each line', async () => {
    broken = ['directory:people'];
    await expect(imported('- {name: ann}', '- {name: bob}')).rejects.toThrow(/^directory:people is broken$/);
  });

  it('takes back those it has added when one of them fails after all', async () => {
    broken = ['directory:apply eve'];
    await expect(imported('- {name: ann}', '- {name: bob}', '- {name: eve}')).rejects.toThrow('directory:apply is broken');
    expect(names()).toEqual(['root-admin']);
    broken = ['directory:apply eve', 'directory:remove ann'];
    await expect(imported('- {name: ann}', '- {name: bob}', '- {name: eve}')).rejects.toMatchObject({
      message: 'directory:apply is broken',
      details: ['ann could not be taken back: devserver user remove ann'],
      exitCode: 6,
    });
    expect(names()).toEqual(['ann', 'root-admin']);
    expect(said).toEqual([]);
  });
});
