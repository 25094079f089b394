import { exitCodes, UserError } from '../kernel/errors.ts';
import { execInMachine } from '../machine/exec.ts';
import { logCommand, showLogs } from '../machine/logs.ts';
import { interactiveShell } from '../machine/shell.ts';
import { machineStatus } from '../machine/status.ts';
import { stopMachine } from '../machine/stop.ts';
import { seconds } from '../terminal/plain.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { requireServer } from './server-folder.ts';
import { insideStatus } from './wait.ts';

/** `down DIR`: powers the machine off in order. */
export async function runDown(dir: string, options: CommonOptions, context: CommandContext): Promise<void> {
  requireServer(dir);
  if (options.dryRun === true) {
    const { running } = await machineStatus(dir);
    context.output.result(running ? 'would power it off' : 'it is off already', { dryRun: true, running });
    return;
  }
  const { wasRunning, killed } = await stopMachine(dir, { report: context.output.report });
  context.output.result(wasRunning ? 'powered off' : 'it was off already', { stopped: true, wasRunning, killed });
}

/** `status DIR`: whether it runs, how it is reached, how its components are. Exit code 5 while not ready. */
export async function runStatus(dir: string, context: CommandContext): Promise<void> {
  requireServer(dir);
  const machine = await machineStatus(dir);
  const inside = machine.running ? await insideStatus(dir, { signal: context.signal, connectMilliseconds: 0 }) : undefined;
  const lines = machine.running
    ? [
        `running with ${machine.backend} for ${seconds(machine.uptimeSeconds)} at ${machine.url}`,
        ...(inside?.components ?? []).map(
          ({ name, state, reason }) => `  ${name.padEnd(10)} ${state}${reason === undefined ? '' : `: ${reason}`}`,
        ),
        ...(inside?.warnings ?? []).map(({ text, hint, urgent }) => `${urgent ? '!!' : ' !'} ${text} (${hint})`),
        ...(inside === undefined ? ['  it can not be asked yet'] : []),
      ]
    : ['off'];
  context.output.result(lines.join('\n'), { ...machine, ready: inside?.ready ?? false, inside: inside ?? null });
  if (machine.running && inside?.ready !== true) process.exitCode = exitCodes.failedUndone;
}

/** `exec DIR -- CMD…`: runs a program inside as root; its exit code is ours. */
export async function runExec(dir: string, given: readonly string[], context: CommandContext): Promise<void> {
  const argv = given[0] === '--' ? given.slice(1) : given;
  requireServer(dir);
  const flag = given[0]?.startsWith('-') === true && given[0] !== '--' ? given[0] : undefined;
  if (flag !== undefined)
    throw new UserError(`${flag} stands behind ${dir}, where the program to run begins`, {
      ...{ exitCode: exitCodes.usage, hint: `flags stand before the folder: create-devserver exec ${flag} ${dir} -- COMMAND` },
    });
  if (argv.length === 0)
    throw new UserError('exec what?', { exitCode: exitCodes.usage, hint: `create-devserver exec ${dir} -- journalctl -b` });
  if (context.options.dryRun === true) {
    context.output.result(`would run inside: ${argv.join(' ')}`, { dryRun: true, argv });
    return;
  }
  process.exitCode = await execInMachine(dir, argv, {
    stdin: process.stdin,
    tty: process.stdin.isTTY === true && process.stdout.isTTY === true,
    onStdout: (part) => process.stdout.write(part),
    onStderr: (part) => process.stderr.write(part),
    signal: context.signal,
  });
  process.stdin.destroy();
}

/** `ssh DIR`: a shell inside. */
export async function runSsh(dir: string, context: CommandContext): Promise<void> {
  requireServer(dir);
  if (context.options.dryRun === true) {
    context.output.result('would open a shell inside', { dryRun: true });
    return;
  }
  process.exitCode = await interactiveShell(dir, context.signal);
}

/** `logs DIR`: the journal inside. */
export async function runLogs(
  dir: string,
  options: { unit?: string; follow?: boolean; lines?: string },
  context: CommandContext,
): Promise<void> {
  requireServer(dir);
  const wanted = {
    ...(options.unit === undefined ? {} : { unit: options.unit }),
    ...(options.follow === undefined ? {} : { follow: options.follow }),
    ...(options.lines === undefined ? {} : { lines: Number(options.lines) }),
  };
  if (context.options.dryRun === true) {
    const argv = logCommand(wanted);
    context.output.result(`would run inside: ${argv.join(' ')}`, { dryRun: true, argv });
    return;
  }
  process.exitCode = await showLogs(dir, {
    ...wanted,
    onStdout: (part) => process.stdout.write(part),
    onStderr: (part) => process.stderr.write(part),
    signal: context.signal,
  });
}
