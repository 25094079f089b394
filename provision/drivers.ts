import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { ApplianceComponent } from '../src/kernel/appliance.ts';
import type { DriverAnswer } from '../src/kernel/driver-kit.ts';
import { UserError } from '../src/kernel/errors.ts';

/**
 * Asks a component's driver to carry out a verb.
 * @param timeout seconds until the answer is given up; the driver may still act.
 * @throws UserError with the driver's own words when it refuses, or when it can't be reached.
 */
export async function askDriver(component: ApplianceComponent, verb: string, args: unknown, timeout: number): Promise<unknown> {
  if (component.driver === undefined) throw new UserError(`${component.name} has no driver`);
  const { name } = component;
  return askSocket(component.driver.socket, verb, args, timeout, `the driver of ${name}`, `devserver-driver-${name}`);
}

/**
 * The same for whatever speaks the drivers' protocol on a socket.
 * @param who in messages. @param unit whose journal tells more.
 */
export async function askSocket(
  socket: string,
  verb: string,
  args: unknown,
  timeout: number,
  who: string,
  unit: string,
): Promise<unknown> {
  const answer = await exchange(socket, JSON.stringify({ id: 1, verb, args }), timeout, who, unit);
  if (answer.ok) return answer.value;
  throw new UserError(answer.message, answer.hint === undefined ? {} : { hint: answer.hint });
}

function exchange(socketPath: string, line: string, timeout: number, who: string, unit: string): Promise<DriverAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (message: string): void => {
      socket.destroy();
      reject(new UserError(`${who} ${message}`, { hint: `journalctl -u ${unit}` }));
    };
    const timer = setTimeout(() => fail(`did not answer within ${timeout} s`), timeout * 1000);
    socket.on('error', (error) => fail(`could not be reached: ${error.message}`));
    socket.on('connect', () => socket.write(`${line}\n`));
    const lines = createInterface({ input: socket });
    lines.on('error', () => socket.destroy());
    lines.once('line', (text) => {
      clearTimeout(timer);
      socket.end();
      try {
        resolve(JSON.parse(text) as DriverAnswer);
      } catch {
        fail('answered something that is no JSON');
      }
    });
    socket.on('close', () => {
      clearTimeout(timer);
      fail('closed the connection without an answer');
    });
  });
}
