import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { UserError } from '../kernel/errors.ts';
import type { Command } from '../kernel/system.ts';
import type { Lock } from '../lock/lock-file.ts';
import { whenUnreachable } from '../lock/unreachable.ts';
import type { PackageSources } from '../plan/plan.ts';
import { requireBootstrapTools } from './bootstrap.ts';
import { type Cache, type CacheEntry, cacheKey, openFolder } from './cache.ts';
import type { ImageContext } from './context.ts';
import { fetchDebs } from './debs.ts';
import { writeLocalArchive } from './local-archive.ts';
import { projectFile } from './project-file.ts';

/** The sets of programs in stacks/tools.yaml. */
export type ToolSet = 'disk' | 'machine' | 'pypi';

/**
 * Folder with a set of programs from a pinned release, unpacked into the cache once; the machine's own
 * package sources stay as they are. The same for root and ordinary users.
 */
export async function toolRoot(
  set: ToolSet,
  cache: Cache,
  context: Pick<ImageContext, 'system' | 'report'>,
): Promise<CacheEntry> {
  const { key, ...request } = await pinned(set);
  return cache.getOrMake('tools', key, async (temporary) => {
    await requireBootstrapTools(request.keyring, context);
    context.report({ type: 'note', text: `fetching the ${set} tools of ${request.suite}, once` });
    await unpackInto(temporary, unpackPackages(request, [], `${temporary}.tar`, context), context);
  });
}

/** The same, of the packages that a lock names. */
export async function lockedToolRoot(set: ToolSet, lock: Lock, cache: Cache, context: ImageContext): Promise<CacheEntry> {
  const { snapshot, ...request } = await pinned(set);
  const debs = lock.tools.map(({ sha256 }) => sha256).sort();
  return cache.getOrMake('tools', cacheKey({ format: 2, set, debs }), async (temporary) => {
    await requireBootstrapTools(request.keyring, context);
    const folder = await openFolder();
    try {
      const found = await fetchDebs({ lock, packages: lock.tools, snapshot, stage: 'tool root' }, cache, context);
      const archive = await writeLocalArchive(path.join(folder, 'archive'), found, request);
      await unpackInto(temporary, unpackPackages(request, [archive], `${temporary}.tar`, context), context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Runs what makes `FOLDER.tar`, and takes that apart. */
async function unpackInto(folder: string, unpack: Command, { system }: Pick<ImageContext, 'system'>): Promise<void> {
  const archive = `${folder}.tar`;
  try {
    await system.run(unpack).catch((error: unknown) => {
      throw whenUnreachable(error);
    });
    await mkdir(folder);
    // Owners are dropped and device nodes left out: what remains any user can unpack and remove.
    const owners = ['--no-same-owner', '--no-same-permissions', '--exclude=./dev'];
    await system.run({ file: 'tar', args: ['--extract', `--file=${archive}`, `--directory=${folder}`, ...owners] });
  } finally {
    await rm(archive, { force: true });
  }
}

/** The same folder when it is in the cache at `folder` already; fetches and makes nothing. */
export async function toolRootIfThere(set: ToolSet, folder: string): Promise<string | undefined> {
  const root = path.join(folder, 'tools', (await pinned(set)).key);
  return existsSync(root) ? root : undefined;
}

/**
 * A program of a tool root as a command: started by the tool root's own loader with its own libraries,
 * because the machine's may be older. Only programs, not scripts.
 */
export function toolCommand(
  root: string,
  program: string,
  args: readonly string[],
  more: Pick<Command, 'input' | 'feed' | 'cwd' | 'env' | 'timeout'> = {},
): Command {
  const libraries = path.join(root, 'usr/lib/x86_64-linux-gnu');
  return {
    ...more,
    file: path.join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    args: ['--library-path', [libraries, path.join(root, 'usr/lib')].join(':'), findProgram(root, program), ...args],
    env: {
      LC_ALL: 'C.UTF-8',
      // Each of these would otherwise come from the machine, for programs of another version.
      GCONV_PATH: path.join(libraries, 'gconv'),
      MKE2FS_CONFIG: path.join(root, 'etc/mke2fs.conf'),
      QEMU_MODULE_DIR: path.join(libraries, 'qemu'),
      ...more.env,
    },
  };
}

/** `-L` arguments with which QEMU of a tool root finds its firmware and option ROMs. */
export function qemuDataArguments(root: string): string[] {
  return ['usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu'].flatMap((folder) => ['-L', path.join(root, folder)]);
}

const toolsSchema = z.object({
  suite: z.string(),
  snapshot: z.string().optional(),
  keyring: z.object({ file: z.string(), package: z.string() }),
  architecture: z.string(),
  sets: z.record(z.enum(['disk', 'machine', 'pypi']), z.array(z.string())),
});

/** The packages of a set, and where they come from. */
export async function toolPackages(set: ToolSet): Promise<PackageSources> {
  const { suite, keyring, architecture, sets } = await tools();
  return { suite, keyring, architecture, packageComponents: ['main'], extraSources: [], packages: sets[set] };
}

async function tools(): Promise<z.infer<typeof toolsSchema>> {
  return toolsSchema.parse(parse(await readFile(projectFile('stacks/tools.yaml'), 'utf8')));
}

type UnpackRequest = Omit<z.infer<typeof toolsSchema>, 'sets'> & { readonly packages: readonly string[] };

/** A set as stacks/tools.yaml has it, and its key in the cache. */
async function pinned(set: ToolSet): Promise<UnpackRequest & { readonly key: string }> {
  const { suite, snapshot, keyring, architecture, sets } = await tools();
  const packages = sets[set];
  return { suite, snapshot, keyring, architecture, packages, key: cacheKey({ format: 1, suite, architecture, packages }) };
}

/** mmdebstrap only unpacks here: nothing is configured and no program of the tree runs. */
function unpackPackages(
  { suite, architecture, packages, keyring }: Pick<PackageSources, 'suite' | 'architecture' | 'packages' | 'keyring'>,
  archives: readonly string[],
  output: string,
  { system }: Pick<ImageContext, 'system'>,
): Command {
  return {
    file: 'mmdebstrap',
    cwd: '/',
    args: [
      '--variant=extract',
      `--mode=${system.isRoot ? 'root' : 'unshare'}`,
      '--format=tar',
      `--architectures=${architecture}`,
      `--keyring=${keyring.file}`,
      '--aptopt=Apt::Install-Recommends "false"',
      '--aptopt=Acquire::Retries "3"',
      `--include=${packages.join(',')}`,
      suite,
      output,
      ...archives,
    ],
    env: { LC_ALL: 'C.UTF-8' },
  };
}

function findProgram(root: string, program: string): string {
  const candidates = ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((folder) => path.join(root, folder, program));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) {
    throw new UserError(`the tool root ${root} holds no ${program}`, {
      hint: 'delete that folder; it is made again',
    });
  }
  return found;
}
