import { createReadStream, statSync } from 'node:fs';
import { openEnvelope } from '../kernel/backup/envelope.ts';
import { BackupFault } from '../kernel/backup/fault.ts';
import { readBackup } from '../kernel/backup/read.ts';
import { exitCodes, shownPath, UserError } from '../kernel/errors.ts';
import { keysIn, libraries } from './backup-libraries.ts';
import type { CommandContext } from './context.ts';

/** `verify-backup FILE`: reads a backup to its end and holds every digest, without an appliance. */
export async function runVerifyBackup(file: string, { key }: { key?: string }, { output, signal }: Needed): Promise<void> {
  const { report } = output;
  const size = sizeOf(file);
  const opener = libraries(key === undefined ? undefined : keysIn(existing(key)));
  const begun = performance.now();
  let read = 0;
  let told = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      read += chunk.length;
      if (performance.now() - told > 200) {
        told = performance.now();
        report({ type: 'progress', name: 'verify', fraction: read / Math.max(size, 1) });
      }
      yield chunk;
    }
  };
  report({ type: 'stage', name: 'verify', state: 'start' });
  const seconds = (): number => Math.round(performance.now() - begun) / 1000;
  const { header, manifest, damaged } = await readBackup(openEnvelope(counted(), opener)).catch((error: unknown) => {
    report({ type: 'stage', name: 'verify', state: 'failed', seconds: seconds() });
    throw error;
  });
  if (damaged.length > 0) {
    report({ type: 'stage', name: 'verify', state: 'failed', seconds: seconds() });
    throw new BackupFault('damaged', `${damaged.length} parts of it are damaged: ${damaged.slice(0, 20).join(', ')}`, {
      hint: 'the other parts are whole; take another backup where there is one',
    });
  }
  report({ type: 'stage', name: 'verify', state: 'done', seconds: seconds(), bytes: size });
  const parts = Object.values(manifest.parts);
  const [entries, bytes] = [sum(parts.map((it) => it.entries)), sum(parts.map((it) => it.bytes))];
  const { host, cut, appliance } = header;
  output.result(
    `${shownPath(file)} is whole: ${host} at ${cut}, release ${appliance.release} on ${appliance.base}, ${parts.length} parts with ${entries} files and folders`,
    {
      file,
      host,
      cut,
      release: appliance.release,
      base: appliance.base,
      parts: parts.length,
      entries,
      bytes,
      seconds: seconds(),
    },
  );
}

type Needed = Pick<CommandContext, 'output' | 'signal'>;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, it) => all + it, 0);

function sizeOf(file: string): number {
  return statSync(existing(file)).size;
}

function existing(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  throw new UserError(`there is no file ${shownPath(file)}`, { exitCode: exitCodes.usage });
}
