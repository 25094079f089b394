import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ensureHostTools } from '../host-setup.ts';
import { secretKeyIn } from '../kernel/backup/envelope.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { stage } from '../kernel/report.ts';
import { Secret } from '../kernel/secret.ts';
import { type BackendWish, chooseBackend } from '../machine/backend.ts';
import { readImage } from '../machine/disks.ts';
import { addressOf, type Instance } from '../machine/instance.ts';
import { requireMemory } from '../machine/memory.ts';
import { plannedPorts, startMachine } from '../machine/start.ts';
import { type MachineStatus, machineStatus } from '../machine/status.ts';
import { asCalled } from '../terminal/called-as.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { type InstanceOptions, instanceOf, machineContext, qemuIfThere } from './instance.ts';
import { waitUntilReady } from './wait.ts';

export interface UpOptions extends CommonOptions, InstanceOptions {
  readonly backend?: BackendWish;
  readonly wait?: boolean;
  readonly uefi?: boolean;
  /** Image file of a USB disk to plug in (QEMU). */
  readonly usb?: readonly string[];
  /** File with the key of a backup on that disk. */
  readonly restoreKey?: string;
}

/** `up DIR`: starts the machine; with --wait returns when every component's checks pass. */
export async function runUp(dir: string, options: UpOptions, context: CommandContext): Promise<void> {
  const { output, system } = context;
  const begun = performance.now();
  const instance = instanceOf(dir, options);
  const status = await machineStatus(instance.dir);
  if (!status.running) await requireStartable(dir, instance);
  else if (options.dryRun === true) {
    const { backend, url, ports } = status;
    await tellOfNewImage(dir, instance, status, context);
    output.result(`it runs already, with ${backend} at ${url}`, { dryRun: true, running: true, backend, url, ports });
    return;
  }
  if (options.dryRun !== true) await ensureHostTools(system, output.report);
  const machine = machineContext(context);
  const qemu = options.dryRun === true ? () => qemuIfThere(context) : machine.qemu;
  const choice = await chooseBackend(options.backend ?? 'auto', system, qemu);
  output.report({ type: choice.slow ? 'warning' : 'note', text: `backend ${choice.backend}: ${choice.reason}` });
  if (choice.backend === 'nspawn' && (options.uefi === true || options.usb !== undefined)) {
    throw new UserError('--uefi and --usb belong to a virtual machine', {
      exitCode: exitCodes.usage,
      hint: 'add --backend qemu',
    });
  }
  const restoreKey = keyIn(options);
  for (const image of options.usb ?? []) {
    if (!existsSync(image)) throw new UserError(`--usb ${image}: there is no such file`, { exitCode: exitCodes.usage });
  }
  if (options.dryRun === true) {
    const ports = await plannedPorts(instance);
    const url = addressOf(instance, ports);
    output.result(`would start ${instance.name} with ${choice.backend} at ${url}, ssh on port ${ports.ssh}`, {
      ...{ dryRun: true, running: false, backend: choice.backend, url, listen: instance.listen, ports },
    });
    return;
  }
  const extra = {
    ...(options.uefi === true ? { uefi: true } : {}),
    // QEMU runs in another folder
    ...(options.usb === undefined ? {} : { usb: options.usb.map((it) => path.resolve(it)) }),
    ...(restoreKey === undefined ? {} : { restoreKey }),
  };
  const outcome = await stage(output.report, 'start the machine', async () => ({
    value: await startMachine(instance, choice.backend, machine, extra),
  }));
  const url = `${(outcome.status.url ?? '').replace(/\/$/, '')}/`;
  const seconds = (): number => Math.round((performance.now() - begun) / 100) / 10;
  const backend = outcome.status.running ? outcome.status.backend : choice.backend;
  if (outcome.alreadyRunning)
    output.report({ type: 'note', text: `it runs already, with ${backend}; ports and address stay as they are` });
  if (outcome.alreadyRunning && restoreKey !== undefined)
    output.report({ type: 'warning', text: '--restore-key is for the first start of a new machine: nothing is restored' });
  if (outcome.alreadyRunning) await tellOfNewImage(dir, instance, outcome.status, context);
  const facts = { url, admin: 'admin', adminPasswordFile: outcome.adminPasswordFile, backend };
  if (options.wait !== true) {
    output.result(`${instance.name} is starting at ${url}`, { ready: false, ...facts, seconds: seconds() });
    return;
  }
  await stage(output.report, 'wait until every component is ready', async () => ({
    value: await waitUntilReady(instance.dir, { report: output.report, signal: context.signal, backend }),
  }));
  output.result(`ready: ${url}\nlog in as admin with the password in ${outcome.adminPasswordFile}`, {
    ready: true,
    ...facts,
    seconds: seconds(),
  });
}

/** The key with which a machine that has nothing yet takes back the newest backup on its USB disk. */
function keyIn({ restoreKey: file, usb }: UpOptions): Secret | undefined {
  if (file === undefined) return undefined;
  if (usb === undefined)
    throw new UserError('--restore-key opens a backup on a USB disk', { exitCode: exitCodes.usage, hint: 'add --usb IMAGE' });
  if (!existsSync(file)) throw new UserError(`--restore-key ${file}: there is no such file`, { exitCode: exitCodes.usage });
  const key = secretKeyIn(readFileSync(file, 'utf8'));
  if (key !== undefined) return new Secret(key);
  throw new UserError(`--restore-key ${file} holds no key`, {
    exitCode: exitCodes.badData,
    hint: 'it is a line that begins with AGE-SECRET-KEY-1, as in DIR/disaster-key of the server before',
  });
}

/** A machine goes on with the image it was started with. */
async function tellOfNewImage(
  dir: string,
  { out }: Instance,
  status: MachineStatus,
  { output }: Pick<CommandContext, 'output'>,
): Promise<void> {
  const built = existsSync(path.join(out, 'image.json')) ? (await readImage(out)).id : undefined;
  if (built === undefined || !status.running || status.imageId === built) return;
  const text = asCalled(
    `it runs an earlier image; the one built since is taken by: create-devserver down ${dir}, then up ${dir}`,
  );
  output.report({ type: 'warning', text });
}

/** That there is something to start, and memory for it. */
async function requireStartable(dir: string, { out, memoryMiB }: Instance): Promise<void> {
  if (statSync(path.join(out, 'image.json'), { throwIfNoEntry: false }) === undefined)
    throw new UserError(`nothing has been built in ${dir}`, { exitCode: exitCodes.usage, hint: `create-devserver build ${dir}` });
  await readImage(out);
  requireMemory(memoryMiB);
}
