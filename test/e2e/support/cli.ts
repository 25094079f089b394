import { spawn } from 'node:child_process';
import path from 'node:path';

/** The checkout under test. */
export const checkout = path.resolve(import.meta.dirname, '../../..');

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The generator's own program, bundled when the tests began. `npm start` is what start.mjs puts around it. */
export const generator = path.join(checkout, 'build', 'cli.mjs');

/** Runs `create-devserver ARGS` as a person without a terminal would. */
export function cli(
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: Record<string, string> } = {},
): Promise<CliResult> {
  return run(process.execPath, [generator, ...args], options);
}

/** Runs a program and returns what it printed; never throws for its exit code. */
export function run(
  file: string,
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: Record<string, string>; cwd?: string } = {},
): Promise<CliResult> {
  const child = spawn(file, [...args], {
    cwd: options.cwd ?? checkout,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const parts: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  child.stdout.on('data', (part: Buffer) => parts.stdout.push(part));
  child.stderr.on('data', (part: Buffer) => parts.stderr.push(part));
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        exitCode: code ?? (signal === null ? 1 : 128),
        stdout: Buffer.concat(parts.stdout).toString('utf8'),
        stderr: Buffer.concat(parts.stderr).toString('utf8'),
      }),
    );
  });
}

/** As `run`, but a failure is an error with everything the program printed. */
export async function must(
  file: string,
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: Record<string, string>; cwd?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(file, args, options);
  if (exitCode !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${exitCode}\n${stdout}\n${stderr}`);
  return stdout;
}

/** As `cli`, but a failure is an error. */
export async function mustCli(args: readonly string[], options: { input?: string | Uint8Array } = {}): Promise<string> {
  return must(process.execPath, [generator, ...args], options);
}
