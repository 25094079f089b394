import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import { realSystem, type System } from '../kernel/system.ts';
import { makeGuestGroups, removeGroups } from './cgroup.ts';
import { abandoned, recordNews, runContainer, say } from './container.ts';
import { mountData } from './data-disk.ts';
import { mountRoot, type NspawnPlan, rebootCode } from './nspawn.ts';
import { offState, readState, writeState } from './state.ts';

const planFile = process.argv[2];
if (planFile === undefined) throw new Error('usage: supervisor PLAN (started by `create-devserver up`)');
supervise(JSON.parse(readFileSync(planFile, 'utf8')) as NspawnPlan).then(
  () => process.exit(0),
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && 'details' in error) say(...(error.details as string[]));
    // Everything else ends with this process: namespace, mounts, loop devices, container, network.
    process.exit(1);
  },
);

/**
 * Runs one container from mount to unmount. Lives in a mount namespace of its own, in which it is
 * the only one to hold anything, so that even SIGKILL leaves nothing behind but empty control groups.
 */
async function supervise(plan: NspawnPlan): Promise<void> {
  const system = realSystem();
  const stop = new AbortController();
  stopWhenAsked(stop);
  process.chdir(plan.paths.folder);
  const groups = makeGuestGroups(`devserver-${plan.name}-${process.pid}`, plan.memoryMiB);
  if (!groups.memoryLimited) say('no memory controller at hand: the memory limit is not enforced');
  // Once: a reboot of the guest is no new start, as in a virtual machine.
  await recordNews(plan, { cgroups: [...groups.folders], started: new Date().toISOString() });
  try {
    await mountAll(plan, system);
    for (let again = true; again && !stop.signal.aborted; ) {
      again = (await runContainer(plan, groups.folders, stop.signal)) === rebootCode;
      say(again ? 'the guest reboots' : 'the guest is off');
    }
  } finally {
    await unmountAll(plan, system);
    await removeGroups(groups.folders);
    const state = await readState(plan.paths.state);
    if (state !== undefined) writeState(plan.paths.state, offState(state));
  }
}

async function mountAll(plan: NspawnPlan, system: System): Promise<void> {
  makeFolder(plan.paths.root);
  // systemd-nspawn leaves folders here; on a file system of our own they go with us.
  mkdirSync('/run/systemd/nspawn', { recursive: true });
  await system.run({
    file: 'mount',
    args: ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run/systemd/nspawn'],
  });
  await system.run(mountRoot(plan));
  await mountData(plan.paths.data, path.join(plan.paths.root, 'srv'), system);
}

async function unmountAll(plan: NspawnPlan, system: System): Promise<void> {
  const { root } = plan.paths;
  await system.run({ file: 'sync', args: ['-f', path.join(root, 'srv')] }, { accept: 'any' });
  const { exitCode } = await system.run({ file: 'umount', args: ['--recursive', root] }, { accept: 'any' });
  // A visitor's nsenter may hold it a moment longer; the kernel lets go when that one ends.
  if (exitCode !== 0) await system.run({ file: 'umount', args: ['-R', '-l', root] }, { accept: 'any' });
  await rm(path.join(plan.paths.folder, '.#machine.root.lck'), { force: true });
  await rm(path.join(plan.paths.folder, '.#root.lck'), { force: true });
}

/** SIGTERM asks for an orderly end; when `up` is gone before it saw the machine start, nobody wants the machine. */
function stopWhenAsked(stop: AbortController): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  let released = false;
  process.stdin.on('data', () => {
    released = true;
  });
  process.stdin.on('close', () => {
    if (!released) stop.abort(abandoned);
  });
}
