import path from 'node:path';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { openTerminal, type Terminal } from '../support/terminal.ts';
import { checkout, cli, mustCli } from './support/cli.ts';
import { inside } from './support/inside.ts';

const { dir } = inject('appliance');
const command = (...args: string[]): string => [process.execPath, path.join(checkout, 'start.mjs'), 'run', ...args].join(' ');

describe('create-devserver ssh', () => {
  let terminal: Terminal | undefined;

  afterEach(() => terminal?.close());

  it('is a shell inside, in a terminal of the same size, and hands on its exit code', async () => {
    terminal = openTerminal(`${command('ssh', dir)}; echo "the code is $?"`);
    await terminal.until('root@');
    // put together inside only, so that the screen can't show it because it was typed
    await terminal.type('echo "in $(cat /etc/hostname) by $(tty | cut -c1-8), $(stty size)"', 'Enter');
    const hostname = (await inside(dir, ['cat', '/etc/hostname'])).trim();
    await terminal.until(`in ${hostname} by /dev/pts, 60 200`);
    // Ctrl-C is the program's inside, not ours
    await terminal.type('sleep 1000; echo "ended by $?"', 'Enter', 'C-c');
    await terminal.type('echo "still $((40 + 2))"', 'Enter');
    await terminal.until('still 42');
    await terminal.type('exit 7', 'Enter');
    await terminal.until('the code is 7');
  });

  it('takes a script by standard input where there is no terminal', async () => {
    const { exitCode, stdout } = await cli(['ssh', dir], { input: 'id -un; exit 3\n' });
    expect(exitCode).toBe(3);
    // behind what a login says
    expect(stdout.split('\n').slice(-2)).toEqual(['root', '']);
  });
});

describe('create-devserver logs', () => {
  const mark = `mark-${process.pid}-${Date.now()}`;

  it('shows the last lines of the journal, of one unit where it is named', async () => {
    const script = `for i in 1 2 3 4 5; do echo ${mark}-$i; done`;
    await inside(dir, ['systemd-run', '--quiet', '--wait', `--unit=${mark}`, 'sh', '-c', script]);
    await inside(dir, ['journalctl', '--sync']);
    const unit = (await mustCli(['logs', dir, '--unit', mark])).trim().split('\n');
    expect(unit.flatMap((line) => new RegExp(`${mark}-(\\d)$`).exec(line)?.[1] ?? [])).toEqual(['1', '2', '3', '4', '5']);
    const two = (await mustCli(['logs', dir, '--unit', mark, '--lines', '2'])).trim().split('\n');
    expect(two).toEqual(unit.slice(-2));
    expect((await mustCli(['logs', dir])).trim().split('\n')).toHaveLength(100);
    const other = await mustCli(['logs', dir, '-u', 'devserverd', '-n', '30']);
    expect(other).not.toContain(mark);
    expect(other).toContain('devserverd');
  });

  it('goes on as lines come with --follow, and ends at Ctrl-C', async () => {
    const terminal = openTerminal(`trap : INT; ${command('logs', dir, '--follow', '--lines', '1')}; echo "the code is $?"`);
    try {
      await terminal.until('devserver');
      await inside(dir, ['systemd-cat', 'echo', `${mark}-later`]);
      await terminal.until(`${mark}-later`);
      await terminal.type('C-c');
      await terminal.until('the code is 130');
    } finally {
      terminal.close();
    }
  });
});
