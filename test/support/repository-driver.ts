import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { askDriver } from '../../provision/drivers.ts';
import type { ProjectFacts, Seed } from '../../src/kernel/project.ts';
import { applianceComponent } from './appliance.ts';
import { listenAndExec, untilConnectable } from './handed-socket.ts';
import { checkout } from './real.ts';

/** A VCS's driver as the image has it, with a store of its own on this machine. */
export interface RepositoryDriver {
  /** In place of /srv/git and the like. */
  readonly root: string;
  readonly ask: (verb: string, args: unknown) => Promise<unknown>;
  /** Ends it and what it started at once, as systemd does with a unit, and starts it again. */
  readonly killAndRestart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts the driver of a component that keeps its repositories in /srv/COMPONENT. */
export async function startRepositoryDriver(name: string): Promise<RepositoryDriver> {
  const folder = mkdtempSync(path.join(tmpdir(), `driver-${name}-`));
  const root = path.join(folder, 'store');
  mkdirSync(path.join(root, '.stash'), { recursive: true });
  const programs = path.join(folder, 'programs');
  cpSync(path.join(checkout, 'stacks/components', name, 'files/usr/lib/devserver'), programs, { recursive: true });
  writeFileSync(path.join(folder, 'driver.mjs'), await bundled(name, root, programs));
  let count = 0;
  const start = async (): Promise<{ socket: string; end: () => Promise<void> }> => {
    count += 1;
    const socket = path.join(folder, `socket-${count}`);
    const argv = [
      '-MIO::Socket::UNIX',
      '-MPOSIX',
      '-e',
      listenAndExec,
      socket,
      process.execPath,
      path.join(folder, 'driver.mjs'),
    ];
    // a process group of its own stands for the unit's control group
    const child = spawn('perl', argv, { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await untilConnectable(socket);
    const end = async (): Promise<void> => {
      const group = child.pid ?? 0;
      if (group === 0) return;
      process.kill(-group, 'SIGKILL');
      await ended;
      while (isAlive(group)) await sleep(5);
    };
    return { socket, end };
  };
  let running = await start();
  return {
    root,
    ask: (verb, args) => askDriver(asComponent(name, running.socket), verb, args, 60),
    killAndRestart: async () => {
      await running.end();
      running = await start();
    },
    close: async () => {
      await running.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Facts as far as a VCS's driver needs them. */
export function factsOf(name: string, more: Partial<ProjectFacts> = {}): ProjectFacts {
  return {
    version: 1,
    name,
    title: name,
    description: '',
    vcs: 'git',
    visibility: 'private',
    archived: false,
    template: 'empty',
    maven: false,
    ci: false,
    protectBranch: true,
    members: {},
    created: '2026-01-01T00:00:00Z',
    by: 'ann',
    links: {},
    branch: 'main',
    build: null,
    ...more,
  };
}

const everyByte = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256)).toString('base64');

/** A first commit with what is easily got wrong: names, an executable, no line end, an empty file, no text at all. */
export const seed: Seed = {
  files: [
    { path: 'README.md', text: '# Zoë 🦊\r\nline\n', executable: false },
    { path: 'run', text: '#!/bin/sh\n', executable: true },
    { path: 'src/a b/"quo\'ted" ä.txt', text: 'no line end', executable: false },
    { path: 'src/$(id) `id` * %41 @1', text: 'PROPS-END\n\nNode-path: x\n', executable: false },
    { path: 'empty', text: '', executable: false },
    { path: 'logo.png', base64: everyByte, executable: false },
    { path: 'bin/tool', base64: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0x0d, 0x0a]).toString('base64'), executable: true },
    { path: '-rf', text: 'data 3\ndone\n', executable: false },
    { path: '.gitignore', text: '*.o\n', executable: false },
  ],
  author: { name: 'Ann Änderung', mail: 'ann@example.org' },
  message: 'First commit: Zoë 🦊\n\nwith a second paragraph',
};

async function bundled(name: string, root: string, programs: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(checkout, 'stacks/components', name, 'driver.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);" },
  });
  return (outputFiles[0]?.text ?? '').replaceAll(`/srv/${name}`, root).replaceAll('/usr/lib/devserver', programs);
}

function asComponent(name: string, socket: string): ReturnType<typeof applianceComponent> {
  return applianceComponent({ name }, { driver: { as: name, bootstrap: false, offers: [], socket } });
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
