import { mkdirSync, mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { execute, powerDown, qmpSocket, runState } from '../../src/machine/qmp.ts';

let server: Server | undefined;
const heard: string[] = [];

afterEach(() => {
  server?.close();
  heard.length = 0;
});

/** Speaks as QEMU does: greeting, an event in between, answers by command. */
async function fakeQemu(folder: string, answers: Record<string, object>): Promise<void> {
  server = createServer((socket) => {
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      const { execute: command } = JSON.parse(line) as { execute: string };
      heard.push(command);
      socket.write('{"event": "NIC_RX_FILTER_CHANGED", "timestamp": {}}\r\n');
      const answer = answers[command] ?? { return: {} };
      if ('hangup' in answer) socket.destroy();
      else socket.write(`${JSON.stringify(answer)}\r\n`);
    });
  });
  const before = process.cwd();
  process.chdir(folder);
  await new Promise<void>((resolve) => server?.listen(qmpSocket, resolve));
  process.chdir(before);
}

const fresh = () => mkdtempSync(path.join(tmpdir(), 'qmp-'));

describe('the QMP client', () => {
  it('greets before it asks, and passes over events', async () => {
    const folder = fresh();
    await fakeQemu(folder, { 'query-status': { return: { status: 'running' } } });
    expect(await runState(folder)).toBe('running');
    expect(heard).toEqual(['qmp_capabilities', 'query-status']);
    await powerDown(folder);
    expect(heard.at(-1)).toBe('system_powerdown');
  });

  it('reaches a socket whose path is longer than a socket address holds', async () => {
    const folder = path.join(fresh(), 'd'.repeat(120));
    mkdirSync(folder);
    await fakeQemu(folder, {});
    expect(await execute(folder, 'query-version')).toEqual({});
  });

  it('says what QEMU refused, and that it hung up', async () => {
    const folder = fresh();
    const error = { class: 'CommandNotFound', desc: 'The command x has not been found' };
    await fakeQemu(folder, { x: { error }, y: { hangup: true } });
    await expect(execute(folder, 'x')).rejects.toThrow('QEMU refused x: The command x has not been found');
    await expect(execute(folder, 'y')).rejects.toThrow('QEMU closed the connection before it answered y');
  });

  it('rejects when nobody listens', async () => {
    await expect(runState(fresh())).rejects.toThrow(/ENOENT/);
  });
});
