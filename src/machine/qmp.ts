import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** The socket's name inside the machine's folder. */
export const qmpSocket = 'qmp.sock';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
}

/** Presses the power button; the guest decides what it does. Rejects when QEMU does not answer. */
export async function powerDown(folder: string): Promise<void> {
  await execute(folder, 'system_powerdown');
}

/** Ends QEMU at once, as pulling the plug would. */
export async function quitNow(folder: string): Promise<void> {
  await execute(folder, 'quit');
}

/** running, paused, internal-error, … (RunState in QEMU's QMP reference). */
export async function runState(folder: string): Promise<string> {
  const answer = (await execute(folder, 'query-status')) as { status?: unknown };
  return String(answer.status);
}

/**
 * One command over QEMU's machine protocol: greeting, qmp_capabilities, command, answer; one JSON
 * value per line, events in between. `folder` holds the socket.
 */
export async function execute(folder: string, command: string, milliseconds = 5000): Promise<unknown> {
  const { socket, close } = await open(folder, milliseconds);
  try {
    const lines = createInterface({ input: socket });
    const answers = readAnswers(lines);
    await answers.next();
    await ask(socket, answers, 'qmp_capabilities');
    return await ask(socket, answers, command);
  } finally {
    close();
  }
}

async function ask(socket: Socket, answers: AsyncGenerator<Answer>, command: string): Promise<unknown> {
  socket.write(`${JSON.stringify({ execute: command })}\n`);
  for (;;) {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`QEMU closed the connection before it answered ${command}`);
    if (value.error !== undefined) throw new Error(`QEMU refused ${command}: ${value.error.desc}`);
    if (value.return !== undefined) return value.return;
  }
}

async function* readAnswers(lines: Interface): AsyncGenerator<Answer, undefined> {
  for await (const line of lines) yield JSON.parse(line) as Answer;
  return undefined;
}

/**
 * A socket's path may hold 107 bytes only. Reaching the folder through a descriptor keeps it short,
 * however deep the folder is.
 */
function open(folder: string, milliseconds: number): Promise<{ socket: Socket; close: () => void }> {
  const descriptor = openSync(folder, 'r');
  return new Promise((resolve, reject) => {
    const socket = connect({ path: path.join(`/proc/self/fd/${descriptor}`, qmpSocket) });
    const close = () => socket.destroy();
    socket.setTimeout(milliseconds, () => socket.destroy(new Error('QEMU does not answer')));
    socket.once('close', () => closeSync(descriptor));
    socket.once('connect', () => resolve({ socket, close }));
    socket.on('error', reject);
  });
}
