import { statSync } from 'node:fs';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { Report } from '../../src/kernel/report.ts';
import { realSystem } from '../../src/kernel/system.ts';

/** As people read it. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Whose backup it is, in a line. */
export function describe({
  host,
  cut,
  appliance,
}: {
  host: string;
  cut: string;
  appliance: { release: string; base: string };
}): string {
  return `${host} at ${cut}, by release ${appliance.release} on ${appliance.base}`;
}

/** Whether something did not come to pass because somebody ended it, or was at it already: that says nothing about a backup. */
export function isPutOff(error: unknown): boolean {
  return error instanceof UserError && (error.exitCode === exitCodes.busy || error.exitCode === exitCodes.interrupted);
}

/** @throws UserError (exit 2) when there is no such file. */
export function requireFile(file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new UserError(`there is no file ${file}`, { exitCode: exitCodes.usage });
}

/** @throws UserError (exit 2) for everybody else. */
export function requireRoot(command: string): ReturnType<typeof realSystem> {
  const system = realSystem();
  if (!system.isRoot)
    throw new UserError('only root may do this', { exitCode: exitCodes.usage, hint: `sudo devserver ${command}` });
  return system;
}

/** Stages as lines on standard error, or as JSON on standard output. */
export function reportTo(json: boolean): Report {
  return (event) => {
    if (json) return void process.stdout.write(`${JSON.stringify(event)}\n`);
    if (event.type === 'progress' && event.fraction !== undefined && process.stderr.isTTY === true)
      return void process.stderr.write(`\r${event.name}  ${Math.floor(event.fraction * 100)} %\r`);
    if (event.type === 'stage' && event.state === 'done') {
      const bytes = event.bytes === undefined ? '' : `, ${megabytes(event.bytes)}`;
      process.stderr.write(`${event.name}  ${event.seconds.toFixed(1)} s${bytes}\n`);
    } else if (event.type === 'note' || event.type === 'warning')
      process.stderr.write(`${event.type === 'warning' ? 'warning: ' : ''}${event.text}\n`);
  };
}
