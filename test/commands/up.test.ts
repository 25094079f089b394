import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { qemuIfThere } from '../../src/commands/instance.ts';
import { tryKvm } from '../../src/machine/kvm.ts';
import { identify } from '../../src/machine/process.ts';
import { cliInside } from '../support/cli-inside.ts';
import { fakeSystem } from '../support/fake-system.ts';

const text = 'version: 1\nname: shop\nhostname: shop\nbase: debian-13\nmachine: {memory: 1G, systemDisk: 4G, dataDisk: 20G}\n';

/** A folder with a server whose image nobody looks into. */
function server(more = ''): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'up-'));
  writeFileSync(path.join(dir, 'devserver.yaml'), text + more);
  mkdirSync(path.join(dir, 'out'));
  writeFileSync(path.join(dir, 'out/system.raw'), 'system');
  writeFileSync(path.join(dir, 'out/image.json'), JSON.stringify({ id: 'one', root: { offset: 0, bytes: 6 } }));
  return dir;
}

const url = 'https://127.0.0.1:9443';

/** As if this process were its machine. */
function running(dir: string, imageId: string): void {
  const ports = { https: 9443, http: 9080, ssh: 9022 };
  const state = { backend: 'nspawn', ports, listen: '127.0.0.1', url, imageId, process: identify(process.pid) };
  mkdirSync(path.join(dir, 'machine'), { recursive: true });
  writeFileSync(path.join(dir, 'machine/state.json'), JSON.stringify(state));
}

const dryRun = (dir: string, ...args: string[]) => cliInside(['up', dir, '--dry-run', '--plain', ...args]);

describe('up --dry-run', () => {
  it('shows the address the machine will have', async () => {
    const everywhere = await dryRun(server(), '--listen', '0.0.0.0', '--https-port', '18443');
    expect([everywhere.exitCode, everywhere.stdout]).toEqual([
      0,
      expect.stringMatching(/^would start shop with \S+ at https:\/\/127\.0\.0\.1:18443, ssh on port \d+\n$/),
    ]);
    expect((await dryRun(server('url: https://dev.example.org\n'))).stdout).toContain(' at https://dev.example.org, ssh');
  });

  it('tells of a machine that runs, even when its image is gone', async () => {
    const dir = server();
    running(dir, 'one');
    rmSync(path.join(dir, 'out'), { recursive: true });
    expect(await dryRun(dir)).toEqual({ exitCode: 0, stdout: `it runs already, with nspawn at ${url}\n`, stderr: '' });
  });

  it('tells of a machine that runs an earlier image than the one built', async () => {
    const dir = server();
    running(dir, 'one');
    expect((await dryRun(dir)).stderr).toBe('');
    running(dir, 'earlier');
    expect((await dryRun(dir)).stderr).toContain(`it runs an earlier image; the one built since is taken by`);
  });

  it.each([
    ['image.json', '{}', 3, 'image.json does not describe an image'],
    ['image.json', undefined, 2, 'nothing has been built in'],
    ['system.raw', undefined, 5, 'holds no built image'],
  ])('fails as the start would where %s is %j', async (name, content, code, message) => {
    const dir = server();
    rmSync(path.join(dir, 'out', name));
    if (content !== undefined) writeFileSync(path.join(dir, 'out', name), content);
    for (const args of [['--dry-run'], []]) {
      const { exitCode, stderr } = await cliInside(['up', dir, '--plain', ...args]);
      expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
    }
    expect(readdirSync(dir)).not.toContain('machine');
  });

  it('fetches no QEMU to try KVM with', async () => {
    const cache = path.join(mkdtempSync(path.join(tmpdir(), 'up-')), 'cache');
    expect(await qemuIfThere({ cache })).toBeUndefined();
    const { system, ran } = fakeSystem([]);
    expect(await tryKvm(system, undefined)).toEqual({ works: true, reason: expect.stringContaining('the start tries') });
    expect(ran).toEqual([]);
    await dryRun(server(), '--backend', 'qemu', '--cache', cache);
    expect(readdirSync(path.dirname(cache))).toEqual([]);
  });
});

describe('wrong flags of up', () => {
  it('are told all at once, also beside unknown ones', async () => {
    const wrong = ['--https-port', '0', '--http-port', '99999', '--ssh-port', 'x', '--backend', 'QEMU', '--listen', '192.0.2.7'];
    const { exitCode, stderr } = await cliInside(['up', server(), ...wrong]);
    const lines = [
      '  --https-port 0: must be a whole number from 1 to 65535',
      '  --http-port 99999: must be a whole number from 1 to 65535',
      '  --ssh-port x: must be a whole number from 1 to 65535',
      '  --backend QEMU: is not one of auto, qemu, nspawn (did you mean qemu?)',
      expect.stringMatching(/^ {2}--listen 192\.0\.2\.7: this computer has no such address \(there are 127\.0\.0\.1, 0\.0\.0\.0/),
    ];
    expect([exitCode, stderr.trimEnd().split('\n')]).toEqual([2, [...lines, 'create-devserver: 5 flags are wrong']]);
    const more = await cliInside(['up', server(), ...wrong, '--wiat']);
    expect(more.stderr.trimEnd().split('\n')).toEqual([
      '  --wiat: unknown flag (did you mean --wait?)',
      ...lines,
      'create-devserver: 6 flags are wrong',
    ]);
  });

  it('are told so for newproject, and the help shows what may be chosen', async () => {
    const { exitCode, stderr } = await cliInside(['newproject', 'x', '--visibility', 'Privat', '--cachee', 'y']);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('--visibility Privat: is not one of private, internal (did you'),
    ]);
    expect(stderr).toContain('--cachee: unknown flag (did you mean --cache?)');
    for (const [command, choices] of [
      ['up', '(choices: "auto", "qemu", "nspawn", default: "auto")'],
      ['newproject', '(choices: "private", "internal")'],
    ] as const)
      expect((await cliInside([command, '--help'])).stdout.replaceAll(/\s+/g, ' ')).toContain(choices);
  });
});
