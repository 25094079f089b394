import path from 'node:path';
import * as z from 'zod';
import { UserError } from '../kernel/errors.ts';
import { readIfThere, writeOwn } from './files.ts';

const processId = z.object({ pid: z.number().int().positive(), startTime: z.number() });

const schema = z.object({
  backend: z.enum(['qemu-kvm', 'qemu-tcg', 'nspawn']),
  ports: z.object({ https: z.number(), http: z.number(), ssh: z.number() }),
  listen: z.string(),
  url: z.string(),
  /** Identity of the image the system disk was copied from. */
  imageId: z.string(),
  /** QEMU or the supervisor; absent when the machine is off. */
  process: processId.optional(),
  /** Process 1 of the container, seen from outside. */
  leader: processId.optional(),
  /** Control groups to remove when the supervisor could not. */
  cgroups: z.array(z.string()).optional(),
  /** When this start of QEMU or of the supervisor was, ISO time. A reboot of the guest keeps it. */
  started: z.string().optional(),
});

/** What is recorded of a machine, running or not: machine/state.json. */
export type MachineState = Readonly<z.infer<typeof schema>>;

/** The recorded state, or undefined before the first start. Throws when the file is damaged. */
export async function readState(file: string): Promise<MachineState | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${file} can't be read as the state of a machine`, {
      // `down` can't: only this file says which process it is
      hint: `if it runs (pgrep -af ${path.dirname(file)} shows its process), power it off from inside or end that process; then delete this file and start again: disks and keys stay`,
      cause: error,
    });
  }
}

/** Records the state, whole or not at all. */
export function writeState(file: string, state: MachineState): void {
  writeOwn(file, `${JSON.stringify(state, null, 2)}\n`);
}

/** The same record of a machine that is off. */
export function offState(state: MachineState): MachineState {
  const { backend, ports, listen, url, imageId } = state;
  return { backend, ports, listen, url, imageId };
}
