import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { realSystem } from '../../src/kernel/system.ts';
import { lengthenQueues } from '../../src/machine/backlog.ts';

const server = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  console.log(this.address().port);
})`;

it.skipIf(process.getuid?.() !== 0 || realSystem().which('perl') === undefined)(
  "lengthens another process's queue (skipped without root and perl)",
  async () => {
    const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const queue = () => execFileSync('ss', ['-Hltn', `sport = :${String(line).trim()}`], { encoding: 'utf8' }).split(/\s+/)[2];
      expect(queue()).toBe('1');
      await lengthenQueues(child.pid ?? 0, realSystem());
      expect(queue()).toBe('1024');
    } finally {
      child.kill('SIGKILL');
    }
  },
);
