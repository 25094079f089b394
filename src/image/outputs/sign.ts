import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exitCodes, UserError } from '../../kernel/errors.ts';
import type { System } from '../../kernel/system.ts';
import { signatureName, sumsName } from '../image-file.ts';

/** What a signature of ours is for; who checks one names it too (ssh-keygen(1), "namespace"). */
export const signatureNamespace = 'devserver-image';

/** Whether a key can sign, before anything is built. @throws UserError when it is none, or can't be used without asking. */
export async function requireSigningKey(key: string, system: System): Promise<void> {
  await signatureOf('', key, system);
}

/**
 * Signs DIR/out/SHA256SUMS with an ssh key: all outputs, by their digests. A key with a passphrase is taken from the agent.
 * @throws UserError when the key is none, or can't be used without asking.
 */
export async function signSums(folder: string, key: string, system: System): Promise<void> {
  const signature = path.join(folder, signatureName);
  const beside = `${signature}.new`;
  const text = await signatureOf(await readFile(path.join(folder, sumsName), 'utf8'), key, system);
  try {
    await writeFile(beside, text);
    await rename(beside, signature);
  } finally {
    await rm(beside, { force: true });
  }
}

async function signatureOf(text: string, key: string, system: System): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devserver-sign-'));
  const file = path.join(folder, sumsName);
  try {
    await writeFile(file, text);
    await system.run({
      file: 'ssh-keygen',
      args: ['-Y', 'sign', '-q', '-f', path.resolve(key), '-n', signatureNamespace, '--', file],
      // never a question: no terminal to ask at, and nothing to type a passphrase into
      isApart: true,
      env: { SSH_ASKPASS_REQUIRE: 'never' },
    });
    return await readFile(`${file}.sig`, 'utf8');
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode === exitCodes.interrupted || error.exitCode === exitCodes.machineLacks)
      throw error;
    throw new UserError(`${key} can not sign: ${error.details.at(-1) ?? error.message}`, {
      hint: 'name the file of a private ssh key; one with a passphrase has to be in the agent',
      exitCode: exitCodes.usage,
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
