import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProjectFacts, Seed } from '../../src/kernel/project.ts';
import { type DriverProcess, startDriver } from './driver-process.ts';
import { checkout } from './real.ts';

/** A VCS's driver with a store of its own on this machine. */
export interface RepositoryDriver extends DriverProcess {
  /** In place of /srv/git and the like. */
  readonly root: string;
}

/** Starts the driver of a component that keeps its repositories in /srv/COMPONENT. */
export async function startRepositoryDriver(name: string): Promise<RepositoryDriver> {
  const folder = mkdtempSync(path.join(tmpdir(), `driver-${name}-`));
  const root = path.join(folder, 'store');
  mkdirSync(path.join(root, '.stash'), { recursive: true });
  const programs = path.join(folder, 'programs');
  cpSync(path.join(checkout, 'stacks/components', name, 'files/usr/lib/devserver'), programs, { recursive: true });
  const driver = await startDriver(name, folder, { [`/srv/${name}`]: root, '/usr/lib/devserver': programs });
  return {
    ...driver,
    root,
    close: async () => {
      await driver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Facts as far as a VCS's driver needs them. */
export function factsOf(name: string, more: Partial<ProjectFacts> = {}): ProjectFacts {
  return {
    version: 1,
    name,
    formerly: [],
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
