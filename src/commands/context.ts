import { homedir } from 'node:os';
import path from 'node:path';
import { type Catalogue, loadCatalogue } from '../kernel/catalogue/load.ts';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { requireWritable } from '../kernel/folder.ts';
import { realSystem, type System } from '../kernel/system.ts';
import { makeOutput, type Output } from '../terminal/output.ts';

/** Options every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly dryRun?: boolean;
  readonly stacks?: readonly string[];
  readonly cache?: string;
  readonly mirror?: string;
  readonly mavenMirror?: string;
  readonly npmMirror?: string;
  readonly pypiMirror?: string;
}

/** What every command works with. */
export interface CommandContext {
  readonly options: CommonOptions;
  readonly output: Output;
  readonly system: System;
  readonly signal: AbortSignal;
  readonly catalogue: () => Catalogue;
  /** The generator's own folder. */
  readonly root: string;
  readonly cache: string;
}

/** The context of one command; `signal` aborts on Ctrl-C, `root` is the generator's own folder. */
export function makeContext(options: CommonOptions, signal: AbortSignal, root: string): CommandContext {
  let catalogue: Catalogue | undefined;
  return {
    options,
    output: makeOutput({ json: options.json === true, plain: options.plain === true }),
    system: realSystem(signal),
    signal,
    root,
    cache: cacheFolder(options.cache, process.env),
    catalogue: () => {
      catalogue ??= loadCatalogue(stacksFolders(root, options.stacks ?? []));
      return catalogue;
    },
  };
}

/** Ours and those given, each once. */
function stacksFolders(root: string, given: readonly string[]): string[] {
  return [...new Set([path.join(root, 'stacks'), ...given].map((folder) => path.resolve(folder)))];
}

/** Where downloads and layers are kept; a variable that is empty, or an XDG one that is relative, counts as not set. */
function cacheFolder(flag: string | undefined, { DEVSERVER_CACHE: own, XDG_CACHE_HOME: xdg }: NodeJS.ProcessEnv): string {
  if (flag === '') throw new UserError('--cache: the folder has no name', { exitCode: exitCodes.usage });
  const caches = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homedir(), '.cache');
  return path.resolve(flag ?? (own === undefined || own === '' ? path.join(caches, 'devserver') : own));
}

/** That a build can write where it has to. @throws UserError (exit 2) naming the folder that is none, or closed. */
export function requireFolders(dir: string, cache: string): void {
  requireWritable(dir);
  requireWritable(cache, '--cache');
}
