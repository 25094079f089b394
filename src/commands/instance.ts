import path from 'node:path';
import { openCache } from '../image/cache.ts';
import { qemuDataArguments, toolCommand, toolRoot, toolRootIfThere } from '../image/tools.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { sizeInMiB } from '../kernel/size.ts';
import type { Instance, MachineContext, Qemu } from '../machine/instance.ts';
import { readAnswers } from './answers-file.ts';
import { readAuthorities } from './authorities.ts';
import type { CommandContext } from './context.ts';

/** What `up` may be told beside DIR/devserver.yaml; each is what its flag takes. */
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
    ...(options.httpsPort === undefined ? {} : { https: Number(options.httpsPort) }),
    ...(options.httpPort === undefined ? {} : { http: Number(options.httpPort) }),
    ...(options.sshPort === undefined ? {} : { ssh: Number(options.sshPort) }),
  };
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
    listen: options.listen ?? '127.0.0.1',
    ports,
    ...(answers.url === undefined ? {} : { url: answers.url }),
    ...(answers.timezone === undefined ? {} : { timezone: answers.timezone }),
    ...(answers.sshKeys === undefined ? {} : { authorizedKeys: answers.sshKeys }),
    ...(answers.authorities === undefined ? {} : { authorities: readAuthorities(dir, answers.authorities) }),
  };
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
