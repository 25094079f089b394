import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkout, cli, must } from './cli.ts';

/** A second server from the same image: its own folder, machine, data disk and secrets. */
export async function copyOf(dir: string, name: string): Promise<string> {
  const copy = path.join(checkout, 'build', 'e2e', name);
  await cli(['down', copy]);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  copyFileSync(path.join(dir, 'devserver.yaml'), path.join(copy, 'devserver.yaml'));
  await must('cp', [
    '--recursive',
    '--sparse=always',
    '--reflink=auto',
    '--preserve=timestamps',
    '--',
    path.join(dir, 'out'),
    copy,
  ]);
  return copy;
}

/** The last line of `up --wait --json`. */
export interface UpResult {
  readonly type: 'result';
  readonly ready: boolean;
  readonly url: string;
  readonly admin: string;
  readonly adminPasswordFile: string;
  readonly seconds: number;
}

/** Starts the machine of DIR and returns the result line; anything else is an error with all that was printed. */
export async function up(dir: string, ...args: string[]): Promise<UpResult> {
  const { exitCode, stdout, stderr } = await cli(['up', dir, '--json', ...args]);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (exitCode !== 0)
    throw new Error(`up ${args.join(' ')} ended with ${exitCode}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`);
  return JSON.parse(last) as UpResult;
}
