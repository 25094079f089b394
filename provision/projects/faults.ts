import type { AtLine } from './journal.ts';

/**
 * Ends the process around a line of a journal, for the tests that show what a crash leaves: `before:doing:3` in
 * DEVSERVERD_FAULT, which only root can put into the unit's environment. Without it nothing ever happens here.
 */
export function faultsOfEnvironment(env: Readonly<Record<string, string | undefined>>): AtLine {
  const [moment, is, step] = (env.DEVSERVERD_FAULT ?? '').split(':');
  return (now, line) => {
    if (moment !== now || is !== line.is) return;
    if (step !== undefined && !('step' in line && String(line.step) === step)) return;
    process.kill(process.pid, 'SIGKILL');
  };
}
