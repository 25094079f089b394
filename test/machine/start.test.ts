import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { UserError } from '../../src/kernel/errors.ts';
import type { ReportEvent } from '../../src/kernel/report.ts';
import { realSystem } from '../../src/kernel/system.ts';
import type { Instance, MachineContext } from '../../src/machine/instance.ts';
import { startMachine } from '../../src/machine/start.ts';
import { machineStatus } from '../../src/machine/status.ts';
import { stopMachine } from '../../src/machine/stop.ts';
import { checkout } from '../support/real.ts';

const dirs: string[] = [];
/** An address of this computer that no other test looks for ports on. */
const listen = `127.77.${process.pid % 250}.1`;
const program = path.join(checkout, 'test/fixtures/programs/slow-qemu.mjs');

/** A folder with an image too small to boot: nothing here looks inside. */
function machine(): Instance {
  const dir = mkdtempSync(path.join(tmpdir(), 'start-'));
  dirs.push(dir);
  const out = path.join(dir, 'out');
  mkdirSync(out);
  writeFileSync(path.join(out, 'system.raw'), 'system');
  writeFileSync(path.join(out, 'image.json'), JSON.stringify({ id: 'one', root: { offset: 0, bytes: 6 } }));
  return { dir, name: 'it', hostname: 'it', memoryMiB: 64, cpus: 1, dataMiB: 1024, out, listen };
}

function contextOf(events: ReportEvent[] = [], signal?: AbortSignal): MachineContext {
  return {
    system: realSystem(signal),
    report: (event) => events.push(event),
    supervisor: '/nowhere',
    qemu: async () => ({ command: (args) => ({ file: process.execPath, args: [program, ...args] }) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

const start = (instance: Instance, context = contextOf()) => startMachine(instance, 'qemu-tcg', context);

afterEach(async () => {
  for (const dir of dirs.splice(0)) await stopMachine(dir, { report: () => {} });
});

describe('starting a machine', () => {
  it('finds other ports than one that starts at the same moment in another folder', async () => {
    const events: ReportEvent[] = [];
    const both = await Promise.all([start(machine(), contextOf(events)), start(machine(), contextOf(events))]);
    const ports = both.flatMap(({ status }) => Object.values(status.ports ?? {}));
    expect(new Set(ports).size).toBe(6);
    expect(events).toContainEqual({ type: 'note', text: 'another machine is being started; this one comes next' });
  });

  it('counts the uptime from each start anew, whatever ended the one before', async () => {
    const instance = machine();
    const started: string[] = [];
    for (const end of ['down', 'SIGKILL', 'none'] as const) {
      const { status } = await start(instance);
      if (!status.running) throw new Error('it does not run');
      expect(status.uptimeSeconds).toBeLessThanOrEqual(20);
      started.push(status.started);
      expect(await machineStatus(instance.dir)).toMatchObject({ started: status.started });
      if (end === 'down') await stopMachine(instance.dir, { report: () => {} });
      if (end === 'SIGKILL') process.kill(status.pid, 'SIGKILL');
      while (end !== 'none' && (await machineStatus(instance.dir)).running)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([...new Set(started)].sort()).toEqual(started);
  });

  it('is given up at once when interrupted, also while it waits for its turn', async () => {
    const abort = new AbortController();
    const [first, second] = [machine(), machine()];
    const answers = Promise.allSettled([start(first, contextOf([], abort.signal)), start(second, contextOf([], abort.signal))]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = performance.now();
    abort.abort(new Error('interrupted'));
    for (const answer of await answers) expect(answer.status).toBe('rejected');
    expect(performance.now() - before, 'not the second of a question, nor the minute of a start').toBeLessThan(5000);
    for (const { dir } of [first, second]) expect((await machineStatus(dir)).running).toBe(false);
  });

  it.each(['image.json', 'system.raw'])('makes nothing where %s is missing', async (name) => {
    const instance = machine();
    rmSync(path.join(instance.out, name));
    await expect(start(instance)).rejects.toThrow('holds no built image');
    expect(existsSync(path.join(instance.dir, 'machine'))).toBe(false);
  });
});

describe('stopping a machine', () => {
  it('whose state is damaged is refused with a way to find its process', async () => {
    const instance = machine();
    const { status } = await start(instance);
    if (!status.running) throw new Error('it does not run');
    const file = path.join(instance.dir, 'machine/state.json');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, '{');
    try {
      const refused = await stopMachine(instance.dir, { report: () => {} }).catch((error: unknown) => error);
      const words = /pgrep -af (\S+)/.exec((refused as UserError).hint ?? '')?.[1] ?? 'no hint';
      const { stdout } = await realSystem().run({ file: 'pgrep', args: ['-af', words] });
      expect(stdout.split('\n').map((line) => Number.parseInt(line, 10))).toContain(status.pid);
    } finally {
      writeFileSync(file, whole);
    }
  });

  it('that can not be looked at is refused, not called off', async () => {
    const { dir } = machine();
    const folder = path.join(dir, 'machine');
    symlinkSync('machine', folder);
    try {
      await expect(stopMachine(dir, { report: () => {} })).rejects.toMatchObject({ code: 'ELOOP' });
    } finally {
      rmSync(folder);
    }
    expect(await stopMachine(dir, { report: () => {} })).toEqual({ wasRunning: false, killed: false });
  });
});
