import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { openCache } from '../image/cache.ts';
import { qemuDataArguments, toolCommand, toolRoot, toolRootIfThere } from '../image/tools.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { sizeInMiB } from '../kernel/size.ts';
import type { Instance, MachineContext, Qemu } from '../machine/instance.ts';
import { readAnswers } from './answers-file.ts';
import { readAuthorities } from './authorities.ts';
import type { CommandContext } from './context.ts';

/** What `up` may be told beside DIR/devserver.yaml. */
export interface InstanceOptions {
  readonly listen?: string;
  readonly httpsPort?: string;
  readonly httpPort?: string;
  readonly sshPort?: string;
}

/** The machine of DIR as a value. */
export function instanceOf(dir: string, options: InstanceOptions = {}): Instance {
  const { answers } = readAnswers(dir);
  const ports = {
    ...(options.httpsPort === undefined ? {} : { https: portNumber('--https-port', options.httpsPort) }),
    ...(options.httpPort === undefined ? {} : { http: portNumber('--http-port', options.httpPort) }),
    ...(options.sshPort === undefined ? {} : { ssh: portNumber('--ssh-port', options.sshPort) }),
  };
  const listen = options.listen ?? '127.0.0.1';
  if (isIP(listen) !== 4 || !ownAddresses().includes(listen))
    throw new UserError(`--listen ${listen}: this computer has no such IPv4 address`, {
      exitCode: exitCodes.usage,
      hint: `there are ${ownAddresses().join(', ')}`,
    });
  const twice = Object.values(ports).find((port, index, all) => all.indexOf(port) !== index);
  if (twice !== undefined)
    throw new UserError(`port ${twice} is asked for twice`, {
      exitCode: exitCodes.usage,
      hint: '--https-port, --http-port and --ssh-port are three different ones',
    });
  return {
    dir: path.resolve(dir),
    name: answers.name,
    hostname: answers.hostname,
    memoryMiB: sizeInMiB(answers.machine.memory),
    cpus: answers.machine.cpus,
    dataMiB: sizeInMiB(answers.machine.dataDisk),
    out: path.resolve(dir, 'out'),
    listen,
    ports,
    ...(answers.url === undefined ? {} : { url: answers.url }),
    ...(answers.timezone === undefined ? {} : { timezone: answers.timezone }),
    ...(answers.authorities === undefined ? {} : { authorities: readAuthorities(dir, answers.authorities) }),
  };
}

/** Every address something can listen on here; 0.0.0.0 stands for all. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(['127.0.0.1', '0.0.0.0', ...all.filter(({ family }) => family === 'IPv4').map(({ address }) => address)])];
}

function portNumber(flag: string, text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new UserError(`${flag} ${text}: a port is a number from 1 to 65535`, { exitCode: exitCodes.usage });
}

/** What running a machine needs: the supervisor beside the CLI, and QEMU from the tool root when it is wanted. */
export function machineContext(context: CommandContext): MachineContext {
  let qemu: Promise<Qemu> | undefined;
  return {
    system: context.system,
    report: context.output.report,
    signal: context.signal,
    supervisor: path.join(context.root, 'build', 'supervisor.mjs'),
    qemu: () => {
      qemu ??= qemuFromTools(context);
      return qemu;
    },
  };
}

/** QEMU when it was fetched before; fetches nothing. */
export async function qemuIfThere({ cache }: Pick<CommandContext, 'cache'>): Promise<Qemu | undefined> {
  const root = await toolRootIfThere('machine', cache);
  return root === undefined ? undefined : qemuIn(root);
}

async function qemuFromTools({ cache, system, output }: CommandContext): Promise<Qemu> {
  return qemuIn((await toolRoot('machine', await openCache(cache), { system, report: output.report })).path);
}

function qemuIn(root: string): Qemu {
  return {
    command: (args) => toolCommand(root, 'qemu-system-x86_64', [...qemuDataArguments(root), ...args]),
    uefi: { code: path.join(root, 'usr/share/OVMF/OVMF_CODE_4M.fd'), vars: path.join(root, 'usr/share/OVMF/OVMF_VARS_4M.fd') },
  };
}
