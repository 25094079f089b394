import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/kernel/errors.ts';
import { lastLines, type System } from '../../src/kernel/system.ts';

/** What stands by to let everything go on. */
const guard = `devserver-fence-${process.pid}.service`;
/** Seconds after which everything goes on, whatever became of whoever wanted it to stand still. */
const longest = 900;
/** They go on: they are asked to do their part in it, or people ask them how far it is. */
const goesOn = new Set(['devserverd.service', 'devserver-audit.service', 'ssh.service']);
/** And so do these, which write no data of their own and may be starting for as long as they run: such a unit can't be frozen. */
const keepsOut = /^devserver-(?:build(?:-net)?@.*|backup|usb-backup|mail|restore|fence-\d+)\.service$/;

/**
 * Does something while no service of the appliance runs: their processes stand still in the middle of whatever they do, and
 * whoever asks them something waits. What is on the disk meanwhile is what a power cut would leave.
 * A unit of systemd's lets them go on when this process ends, however it does.
 * @param services Units of the components. @returns Seconds for which they stood still.
 * @throws UserError when they went on before `work` had ended.
 */
export async function whileFrozen(system: System, services: readonly string[], work: () => Promise<void>): Promise<number> {
  const own = ownUnit();
  const wanted = services.filter((it) => it.endsWith('.service') && !goesOn.has(it));
  const counts = (unit: string): boolean =>
    (wanted.includes(unit) || unit.startsWith('devserver-')) && !goesOn.has(unit) && !keepsOut.test(unit) && unit !== own;
  const running = async (): Promise<Running[]> => (await runningUnits(system)).filter(({ unit }) => counts(unit));
  const there = async (): Promise<string[]> => (await running()).map(({ unit }) => unit);
  await settled(running);
  const patterns = ['devserver-*.service', ...wanted];
  const fence = await stand(patterns);
  const begun = performance.now();
  try {
    const frozen = await freeze(system, there);
    await work();
    if (fence.isOver()) throw new UserError(`copying took longer than ${longest} s, so services went on`, { hint: another });
    // one that was started anew, or for the first time, has not stood still
    const now = await statesOf(system, await there());
    const moved = [...now].filter(([unit, state]) => frozen.get(unit) !== state).map(([unit]) => unit);
    if (moved.length > 0)
      throw new UserError(`${moved.join(', ')} went on while the data was copied: it shows no single moment`, {
        hint: 'try it again',
      });
  } finally {
    await thaw(system, patterns);
    fence.end();
  }
  return (performance.now() - begun) / 1000;
}

/** Waits a while for what is starting or ending: it can't be frozen, and the others need not stand still for it. */
async function settled(running: () => Promise<Running[]>): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await running()).every(({ active }) => active === 'active')) return;
    await sleep(500);
  }
}

/** Rounds until what runs stands still: one that another asks is started by that, and one may end meanwhile. */
const rounds = 10;

/**
 * @param there Units that run and are to stand still. @returns their states, as `statesOf` gives them.
 * @throws UserError when some can't be frozen.
 */
async function freeze(system: System, there: () => Promise<string[]>): Promise<ReadonlyMap<string, string>> {
  let left: string[] = [];
  let said = '';
  for (let round = 0; round < rounds; round += 1) {
    const states = await statesOf(system, await there());
    left = [...states].filter(([, state]) => !state.startsWith('frozen ')).map(([unit]) => unit);
    if (left.length === 0) return states;
    if (round > 0) await sleep(100 * round);
    // it goes with us: what it would freeze later nobody would thaw
    const args = ['--pdeathsig', 'KILL', '--', 'systemctl', 'freeze', '--', ...left];
    ({ stderr: said } = await system.run({ file: 'setpriv', args, isApart: true }, { accept: 'any' }));
  }
  throw new UserError(`services can't be made to stand still: ${left.join(', ')}`, {
    details: lastLines(said, 3),
    hint: 'try it again when they have started, or give the machine a data disk',
  });
}

/** By unit, `STATE ID`: whether its processes are frozen, and which of its runs it is. */
async function statesOf(system: System, units: readonly string[]): Promise<Map<string, string>> {
  if (units.length === 0) return new Map();
  const properties = ['Id', 'FreezerState', 'InvocationID'].map((name) => `--property=${name}`);
  const { stdout } = await system.run({ file: 'systemctl', args: ['show', ...properties, '--', ...units] });
  const blocks = stdout.split(/\n\n+/).map((block) => {
    const fields = new Map(block.split('\n').map((line) => line.split('=') as [string, string]));
    return [fields.get('Id') ?? '', `${fields.get('FreezerState')} ${fields.get('InvocationID')}`] as const;
  });
  return new Map(blocks);
}

/** Lets everything go on, and looks whether it does; the guard tries again. */
async function thaw(system: System, patterns: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    await system.run({ file: 'systemctl', args: ['thaw', '--', ...patterns], isApart: true }, { accept: 'any' });
    const states = await statesOf(
      system,
      (await runningUnits(system)).map(({ unit }) => unit),
    );
    if ([...states.values()].every((state) => state.startsWith('running '))) return;
    await sleep(500);
  }
}

const another = 'give the machine an empty second disk: it becomes the data disk, of which a snapshot can be taken';

interface Fence {
  /** Whether services went on before they were to. */
  readonly isOver: () => boolean;
  /** Ends it, by which it lets everything go on once more. */
  readonly end: () => void;
}

/** Stands until it is ended, or until this process is gone. @param units Names or patterns of what may have been frozen. */
async function stand(units: readonly string[]): Promise<Fence> {
  const thaws = units.map((unit) => `ExecStopPost=-/usr/bin/systemctl thaw -- ${unit}`);
  // one that is on its way to standing still is thawed by the next
  const again = [thaws, ['ExecStopPost=-/usr/bin/sleep 1'], thaws, ['ExecStopPost=-/usr/bin/sleep 2'], thaws].flat();
  const properties = [...again, `RuntimeMaxSec=${longest}`].flatMap((property) => ['--property', property]);
  const args = ['--pipe', '--quiet', '--collect', `--unit=${guard}`, ...properties, '--', '/usr/bin/cat'];
  // Ctrl-C at a terminal is not for it
  const child = spawn('systemd-run', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    said = `${said}${part.toString('utf8')}`.slice(-2000);
  });
  child.stdin.on('error', () => {});
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  let isOver = false;
  void gone.then(() => {
    isOver = true;
  });
  // it comes back as soon as there is somebody to give it back
  child.stdin.write('.');
  const stands = await Promise.race([new Promise<true>((resolve) => child.stdout.once('data', () => resolve(true))), gone]);
  if (stands !== true)
    throw new UserError('services can not be made to stand still', { details: lastLines(said, 3), hint: another });
  return {
    isOver: () => isOver,
    end: () => {
      child.stdin.end();
      // it takes some seconds, for which nobody has to wait
      child.unref();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

interface Running {
  readonly unit: string;
  /** active, or on the way there or away. */
  readonly active: string;
}

async function runningUnits(system: System): Promise<Running[]> {
  const args = ['list-units', '--type=service', '--state=active,activating,reloading,deactivating', '--output=json'];
  const { stdout } = await system.run({ file: 'systemctl', args });
  return (JSON.parse(stdout) as (Running & { sub: string })[]).filter(({ sub }) => sub !== 'exited');
}

/** The unit this process runs in, where it is one. */
function ownUnit(): string | undefined {
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((it) => it.startsWith('0::'));
  return line?.split('/').findLast((it) => it.endsWith('.service'));
}
