import { spawn } from 'node:child_process';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';

const file = '/run/devserver/backup.lock';

/**
 * Does something that nobody else does meanwhile. A program holds the lock for as long as it can read from us, so that it goes
 * with this process, however that ends.
 * @throws UserError (exit 7) when somebody else is at it.
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  // Ctrl-C at a terminal is not for it: what is left is still cleaned up
  const holder = spawn('flock', ['--nonblock', '--', file, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  holder.stdin.on('error', () => {});
  const has = new Promise<boolean>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', () => resolve(false));
    holder.stdout.once('data', () => resolve(true));
  });
  // it comes back as soon as there is somebody to give it back
  holder.stdin.write('.');
  try {
    if (!(await has))
      throw new UserError('a backup is being made or looked at, or restored', {
        exitCode: exitCodes.busy,
        hint: 'wait until it is done',
      });
    return await work();
  } finally {
    holder.stdin.end();
  }
}
