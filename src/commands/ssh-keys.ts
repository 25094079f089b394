import { readFileSync, statSync } from 'node:fs';
import { whyNoSshKey } from '../plan/ssh-key.ts';
import type { WrongFlag } from '../wizard/wrong-flag.ts';

/** Whose keys may log in as root from the first start. */
export interface SshKeyOptions {
  /** Files with public keys, one a line. */
  readonly sshKey?: readonly string[];
}

/** Files that hold no public keys, as flags. */
export function wrongSshKeys({ sshKey = [] }: SshKeyOptions): WrongFlag[] {
  const hint = 'a file with public keys, one a line, such as ~/.ssh/id_ed25519.pub';
  return sshKey.flatMap((file) => {
    const { faults } = read(file);
    return faults.map((message) => ({ flag: `--ssh-key ${file}`, message, hint }));
  });
}

/** The public keys in these files, each once; `wrongSshKeys` found nothing wrong with them. */
export function readSshKeys({ sshKey = [] }: SshKeyOptions): readonly string[] {
  return [...new Set(sshKey.flatMap((file) => read(file).keys))];
}

interface Read {
  readonly keys: readonly string[];
  readonly faults: readonly string[];
}

function read(file: string): Read {
  const none = (why: string): Read => ({ keys: [], faults: [why] });
  try {
    const about = statSync(file, { throwIfNoEntry: false });
    // a pipe would be waited for
    if (about?.isFile() !== true) return none(about === undefined ? 'there is no such file' : 'it is not a file');
    return keysIn(readFileSync(file, 'utf8'));
  } catch (error) {
    return none(`it can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Lines as in authorized_keys: empty ones and those behind a # count for nothing. */
function keysIn(text: string): Read {
  if (text.includes('PRIVATE KEY')) return { keys: [], faults: [whyNoSshKey(text) ?? ''] };
  const lines = text.split('\n').map((line, index) => ({ key: line.trim(), place: `line ${index + 1}` }));
  const keys = lines.filter(({ key }) => key !== '' && !key.startsWith('#'));
  if (keys.length === 0) return { keys: [], faults: ['it holds no key'] };
  const faults = keys.flatMap(({ key, place }) => {
    const why = whyNoSshKey(key);
    return why === undefined ? [] : [`${place} ${why}`];
  });
  return { keys: keys.map(({ key }) => key), faults };
}
