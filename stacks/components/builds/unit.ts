import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { appliancePaths } from '../../../src/kernel/appliance.ts';
import type { System } from '../../../src/kernel/system.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { BuildRequest } from './request.ts';

/** Where the runner keeps what belongs to the builds that run; gone with the runner. */
const folder = '/run/devserver-builds';

/** Secret of a project's builder, kept by the daemon. */
const passwordFile = (project: string): string => `${appliancePaths.system}/devserverd/secrets/${project}.builder`;

/** What carrying out a build needs beside the request. */
export interface BuildContext {
  readonly system: System;
  readonly minutes: number;
  /** Takes the connection on which the build's output arrives. */
  readonly onLog: (log: Socket) => void;
  /** Aborted: the build ends now. */
  readonly signal: AbortSignal;
}

/**
 * Carries out a build in its slot: lays out what systemd hands to the unit, starts the unit and waits for its end.
 * Afterwards nothing of it is left. The slot's files are links, so that the password never passes through here.
 */
export async function runUnit(slot: number, request: BuildRequest, context: BuildContext): Promise<Outcome> {
  const unit = `devserver-build@${slot}.service`;
  const own = path.join(folder, String(slot));
  const { system, signal } = context;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { mode: 0o700 });
  const output = await listenForLog(path.join(own, 'log'), context.onLog);
  const stop = (): void => void system.run({ file: 'systemctl', args: ['stop', unit] }, { accept: 'any' });
  let failed = true;
  try {
    writeFileSync(path.join(own, 'request'), JSON.stringify(request));
    symlinkSync(`${appliancePaths.run}/facts/${request.project}.json`, path.join(own, 'facts'));
    symlinkSync(passwordFile(request.project), path.join(own, 'login'));
    signal.addEventListener('abort', stop);
    // an asker that left before this line is not told of by an event any more
    if (!signal.aborted)
      failed = (await system.run({ file: 'systemctl', args: ['start', unit] }, { accept: 'any' })).exitCode !== 0;
    const said = await output.ended();
    if (signal.aborted) return { result: 'aborted', code: 130 };
    return outcomeOf(await properties(system, unit), said, context.minutes);
  } finally {
    signal.removeEventListener('abort', stop);
    await system.run({ file: 'systemctl', args: ['stop', unit, `devserver-build-net@${slot}.service`] }, { accept: 'any' });
    if (failed) await system.run({ file: 'systemctl', args: ['reset-failed', unit] }, { accept: 'any' });
    output.close();
    rmSync(own, { recursive: true, force: true });
  }
}

/** Builds of a runner that was killed end with it; this waits until they have, and forgets how they ended. */
export async function endLeftovers(system: System): Promise<void> {
  for (const args of [
    ['stop', 'devserver-build@*.service', 'devserver-build-net@*.service'],
    ['reset-failed', 'devserver-build@*.service', 'devserver-build-net@*.service'],
  ])
    await system.run({ file: 'systemctl', args }, { accept: 'any' });
}

async function properties(system: System, unit: string): Promise<Record<string, string>> {
  const args = ['show', unit, '--property=Result,ExecMainCode,ExecMainStatus'];
  const { stdout } = await system.run({ file: 'systemctl', args });
  return Object.fromEntries(stdout.split('\n').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]));
}

/** Listens where systemd connects the unit's output. */
async function listenForLog(
  file: string,
  onLog: (log: Socket) => void,
): Promise<{ ended: () => Promise<boolean>; close: () => void }> {
  let said = false;
  let open = Promise.resolve();
  const server = createServer((log) => {
    // an error is followed by close
    log.on('error', () => undefined);
    open = new Promise((resolve) => log.once('close', () => resolve()));
    log.once('data', () => {
      said = true;
    });
    onLog(log);
  });
  server.maxConnections = 1;
  await new Promise<void>((resolve) => server.listen(file, resolve));
  return {
    ended: async () => {
      await open;
      return said;
    },
    close: () => server.close(),
  };
}
