import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { MachineContext } from './instance.ts';

/**
 * A socket without a file (unix(7), abstract): as far as ports reach it is one for all users, it needs no
 * folder that all may write, and the kernel frees it with its holder.
 */
const lockName = '\0devserver-ports';

/**
 * Runs `work` while no other process on this computer does so: between looking for free ports and opening
 * them nobody else of ours may look. Waits for the others, as long as `seconds`; aborting ends the wait.
 * Errors: busy when that time is over.
 */
export async function withPortLock<T>(
  context: Pick<MachineContext, 'report' | 'signal'>,
  work: () => Promise<T>,
  seconds = 300,
  name = lockName,
): Promise<T> {
  const until = performance.now() + seconds * 1000;
  let lock = await take(name);
  if (lock === undefined) context.report({ type: 'note', text: 'another machine is being started; this one comes next' });
  while (lock === undefined) {
    context.signal?.throwIfAborted();
    if (performance.now() > until) {
      throw new UserError(`other machines have been starting for ${seconds} s`, {
        hint: 'look for a create-devserver that hangs: ps -C node -o pid,args',
        exitCode: exitCodes.busy,
      });
    }
    await sleep(50);
    lock = await take(name);
  }
  const held = lock;
  try {
    return await work();
  } finally {
    await new Promise((resolve) => held.close(resolve));
  }
}

function take(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((visitor) => visitor.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
