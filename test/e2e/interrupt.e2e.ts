import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { exitCodes } from '../../src/kernel/errors.ts';
import { randomFrom } from '../support/random.ts';
import { recipe } from './support/built.ts';
import { checkout, cli, mustCli } from './support/cli.ts';
import { copyOf, discard, ownPorts } from './support/machine-copy.ts';
import { pullThePlug } from './support/plug.ts';
import { remainsSoon } from './support/remains.ts';

const image = inject('image');
const random = randomFrom(process.env.DEVSERVER_SEED ?? '1');
const rounds = process.env.DEVSERVER_TEST_SIZE === 'full' ? 20 : 4;
const folder = mkdtempSync(path.join(tmpdir(), 'devserver-interrupt-'));

let copied: Promise<string> | undefined;

/** The folder of a machine that is off, the same for all. */
function machine(): Promise<string> {
  copied ??= copyOf(image, 'interrupt');
  return copied;
}

/** Whether the signal itself ended the last one, not our answer to it: in a process's first moments, and its last. */
let endedBySignal = false;

/** Starts the CLI in a process group of its own and sends it Ctrl-C after some milliseconds; returns its exit code. */
function interrupted(args: readonly string[], milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, [path.join(checkout, 'start.mjs'), 'run', ...args], {
    cwd: checkout,
    stdio: 'ignore',
    detached: true,
  });
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGINT'), milliseconds);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      endedBySignal = signal === 'SIGINT';
      // in its first moments Node itself ends by the signal, which a shell shows as 130 too
      resolve(code ?? (signal === 'SIGINT' ? 130 : 128));
    });
  });
}

/** All rounds, and some more while every one came too late: a machine may be quicker than the moments chosen. */
function goesOn(round: number, codes: readonly number[]): boolean {
  return round < rounds || (round < rounds + 6 && !codes.includes(exitCodes.interrupted));
}

/** Milliseconds until Ctrl-C: by the seed, and sooner and sooner in the rounds that come on top. */
function moment(round: number, longest: number): number {
  return round < rounds ? 200 + random() * longest : 900 / (round - rounds + 1);
}

async function isRunning(dir: string): Promise<boolean> {
  return (JSON.parse((await cli(['status', dir, '--json'])).stdout) as { running: boolean }).running;
}

describe('Ctrl-C', () => {
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    if (copied !== undefined) await discard(await copied);
  });

  it('at any time of a build leaves no process, mount or half file, and the next build succeeds', async () => {
    const dir = path.join(folder, 'build');
    await mustCli([dir, ...recipe, '--dry-run']);
    for (let round = 0; round < rounds; round += 1) {
      const after = 300 + random() * 9000;
      const code = await interrupted([dir, ...recipe, '--set', `git.defaultBranch=branch${round}`], after);
      expect([0, 130], `interrupted after ${after} ms`).toContain(code);
      expect(await remainsSoon(dir), `interrupted after ${after} ms`).toEqual([]);
      if (existsSync(dir))
        expect(
          readdirSync(dir).filter((name) => !/^(devserver\.yaml(\.old(\.\d+)?)?|devserver\.lock|build\.log|out)$/.test(name)),
        ).toEqual([]);
      if (existsSync(path.join(dir, 'out')))
        expect(readdirSync(path.join(dir, 'out')).filter((name) => /tmp|new|part/.test(name))).toEqual([]);
    }
    await mustCli([dir, ...recipe]);
    const whole = ['SHA256SUMS', 'image.json', 'sbom.cdx.json', 'system.qcow2', 'system.raw'];
    expect(readdirSync(path.join(dir, 'out')).sort()).toEqual(whole);
  });

  it('while packages are unpacked leaves nothing of mmdebstrap', async () => {
    const cache = path.join(folder, 'cache');
    const dir = path.join(folder, 'cold');
    const code = await interrupted(
      [dir, '--yes', '--base', 'debian-13', '--plain', '--cache', cache, '--ci', 'none', '--maven', 'none'],
      12_000 + random() * 20_000,
    );
    expect(code).toBe(130);
    expect(await remainsSoon(folder)).toEqual([]);
  });

  it('while a machine starts leaves no process, mount or loop device', async () => {
    const dir = await machine();
    const codes: number[] = [];
    for (let round = 0; goesOn(round, codes); round += 1) {
      const after = moment(round, 2000);
      const code = await interrupted(['up', dir, '--backend', 'nspawn', ...ownPorts(dir)], after);
      expect([0, 130], `interrupted after ${after} ms`).toContain(code);
      // one that has said that the machine starts, and is on its way out, has nothing to undo
      const wasThrough = endedBySignal && (await isRunning(dir));
      if (code === 130 && !wasThrough) expect(await remainsSoon(dir), `interrupted after ${after} ms`).toEqual([]);
      codes.push(wasThrough ? 0 : code);
      await mustCli(['down', dir]);
      expect(await remainsSoon(dir), `interrupted after ${after} ms`).toEqual([]);
    }
    expect(codes, 'no round was interrupted in time').toContain(130);
    expect((await cli(['status', dir])).stdout).toContain('off');
  });

  it('while a virtual machine starts leaves no process and no half file', async () => {
    const dir = await machine();
    const whole = [
      'admin-password',
      'credentials',
      'data.raw',
      'disaster-recipient',
      'known_host',
      'machine.log',
      'ssh_key',
      'ssh_key.pub',
      'state.json',
      'system.raw',
    ];
    const codes: number[] = [];
    for (let round = 0; goesOn(round, codes); round += 1) {
      const after = moment(round, 2300);
      const code = await interrupted(['up', dir, '--backend', 'qemu', ...ownPorts(dir)], after);
      expect([0, exitCodes.interrupted], `interrupted after ${after} ms`).toContain(code);
      if (code === 0 || (endedBySignal && (await isRunning(dir)))) await pullThePlug(dir);
      expect(await remainsSoon(dir), `interrupted after ${after} ms`).toEqual([]);
      const files = existsSync(path.join(dir, 'machine')) ? readdirSync(path.join(dir, 'machine')) : [];
      expect([...whole, 'console.log', 'root', 'supervisor.json'], `interrupted after ${after} ms`).toEqual(
        expect.arrayContaining(files),
      );
      codes.push(code);
    }
    expect(codes, 'no round was interrupted in time').toContain(exitCodes.interrupted);
    expect((await cli(['status', dir])).stdout).toContain('off');
  });

  it('while a virtual machine is waited for acts at once; the machine runs on', async () => {
    const dir = await machine();
    const child = spawn(
      process.execPath,
      [path.join(checkout, 'start.mjs'), 'run', 'up', dir, '--backend', 'qemu', '--wait', '--plain', ...ownPorts(dir)],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    const waits = new Promise<void>((resolve) => {
      child.stderr.on('data', (part: Buffer) => {
        said += part.toString('utf8');
        if (said.includes('wait until every component is ready')) resolve();
      });
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await Promise.race([waits, ended]);
    // it asks by ssh by then, and the guest's firmware says nothing
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const begun = performance.now();
    child.kill('SIGINT');
    expect(await ended, said).toBe(exitCodes.interrupted);
    const seconds = (performance.now() - begun) / 1000;
    // it would ask for minutes
    expect(seconds).toBeLessThan(10);
    expect(said).toContain('the machine runs on');
    await pullThePlug(dir);
    expect(await remainsSoon(dir)).toEqual([]);
  });
});
