import { mkdirSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { cacheKey, openCache } from '../../../src/image/cache.ts';
import { must } from './cli.ts';

/** The same release's kernel for clouds: another version string, other modules, no USB. */
const name = 'linux-image-cloud-amd64';

/**
 * A kernel package that no image holds, for Debian 13: fetched once into the build's own cache by the tool
 * that fetches packages for images, from its own default archive and with its own check of signatures.
 */
export async function otherKernel(): Promise<string> {
  const folder =
    process.env.DEVSERVER_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'devserver');
  const key = cacheKey({ format: 1, test: 'other kernel', suite: 'trixie', name });
  const { path: entry } = await (await openCache(folder)).getOrMake('download', key, async (temporary) => {
    mkdirSync(temporary);
    await must('mmdebstrap', [
      '--variant=custom',
      '--architectures=amd64',
      '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
      // nothing is installed: only the lists are fetched, and one file
      `--customize-hook=cd ${temporary} && export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" && apt-get -q download "$(${dependency})"`,
      '--format=null',
      'trixie',
    ]);
  });
  const [file] = readdirSync(entry).filter((it) => it.endsWith('.deb'));
  if (file === undefined) throw new Error(`${entry} holds no package: remove it`);
  return path.join(entry, file);
}

/** The package that the one without a version stands for. */
const dependency = `apt-cache depends --important ${name} | sed -n 's/.*Depends: \\(linux-image-.*\\)/\\1/p'`;
