import { createReadStream, statSync } from 'node:fs';
import { openEnvelope } from '../kernel/backup/envelope.ts';
import { totalsOf } from '../kernel/backup/layout.ts';
import { readBackup, requireWhole } from '../kernel/backup/read.ts';
import { exitCodes, shownPath, UserError } from '../kernel/errors.ts';
import { stage } from '../kernel/report.ts';
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
  const { header, manifest } = await stage(report, 'verify', async () => {
    const value = await readBackup(openEnvelope(counted(), opener));
    requireWhole(value.damaged);
    return { value, outcome: { bytes: size } };
  });
  const seconds = Math.round(performance.now() - begun) / 1000;
  const { entries, bytes } = totalsOf(manifest);
  const parts = header.parts.length;
  const { host, cut, appliance } = header;
  output.result(
    `${shownPath(file)} is whole: ${host} at ${cut}, release ${appliance.release} on ${appliance.base}, ${parts} parts with ${entries} files and folders`,
    {
      file,
      host,
      cut,
      release: appliance.release,
      base: appliance.base,
      parts,
      entries,
      bytes,
      seconds,
    },
  );
}

type Needed = Pick<CommandContext, 'output' | 'signal'>;

function sizeOf(file: string): number {
  return statSync(existing(file)).size;
}

function existing(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  throw new UserError(`there is no file ${shownPath(file)}`, { exitCode: exitCodes.usage });
}
