import { expect } from 'vitest';
import { until } from './devserver.ts';
import type { Session } from './session.ts';

const dropIn = '/run/systemd/system/devserverd.service.d/test-fault.conf';
const fault = '/run/devserver-test-fault';
const daemon = 'devserverd.service';

/** Kills the daemon around a line of a journal (provision/projects/faults.ts). */
export interface DaemonFaults {
  /** Does something with a daemon that dies at `place`, such as `before:done:3`; afterwards one runs that does not. */
  readonly killedAt: <T>(place: string, work: () => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** Prepares the unit of the daemon once: reloading all units for each fault would take longer than the fault. */
export async function openDaemonFaults(session: Session): Promise<DaemonFaults> {
  const systemctl = (...args: string[]): Promise<string> => session.run(['systemctl', ...args]);
  await session.run(['mkdir', '-p', dropIn.slice(0, dropIn.lastIndexOf('/'))]);
  await session.run(['tee', dropIn], `[Unit]\nStartLimitIntervalSec=0\n[Service]\nEnvironmentFile=-${fault}\n`);
  await systemctl('daemon-reload');
  const withoutFault = async (): Promise<void> => {
    await session.run(['rm', '-f', fault]);
    await systemctl('restart', daemon);
  };
  return {
    killedAt: async (place, work) => {
      await session.run(['tee', fault], `DEVSERVERD_FAULT=${place}\n`);
      await systemctl('restart', daemon);
      try {
        const result = await work();
        const restarts = async (): Promise<boolean> =>
          Number(await systemctl('show', '--property=NRestarts', '--value', daemon)) > 0;
        expect(await until(`the daemon dies at ${place}`, restarts)).toBe(true);
        return result;
      } finally {
        await withoutFault();
      }
    },
    close: async () => {
      await session.run(['rm', '-f', dropIn]);
      await systemctl('daemon-reload');
      await withoutFault();
    },
  };
}
