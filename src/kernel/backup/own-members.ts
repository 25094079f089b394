import * as z from 'zod';
import { BackupFault } from './fault.ts';
import {
  type BackupHeader,
  type BackupManifest,
  backupFormat,
  backupHeader,
  headerMember,
  knownNeeds,
  limits,
  manifestMember,
  type PartSummary,
  partName,
  partSummary,
} from './layout.ts';

/** The header out of its member's text. @throws BackupFault also for what a later release wrote. */
export function acceptedHeader(text: string): BackupHeader {
  const value = objectIn(headerMember, text);
  // a later format may have another header altogether: what it says of itself is looked at first
  const { format, needs, appliance, parts, components } = value;
  const release = isObject(appliance) && typeof appliance.release === 'string' ? appliance.release : '';
  const by = release === '' ? '' : ` (written by release ${release.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?')})`;
  if (typeof format === 'number' && format > backupFormat)
    throw new BackupFault('newer', `it has format ${format}${by}; this release reads up to ${backupFormat}`);
  const unknown = Array.isArray(needs) ? needs.find((it) => typeof it === 'string' && !knownNeeds.has(it)) : undefined;
  if (unknown !== undefined)
    throw new BackupFault(
      'newer',
      `it needs what this release does not know${by}: ${JSON.stringify(String(unknown).slice(0, 200))}`,
    );
  // one by one, up to the first that is wrong: a library would keep a complaint for each
  if (!Array.isArray(parts) || parts.length > limits.parts)
    throw refused(headerMember, `it has no list of up to ${limits.parts} parts`);
  for (const name of parts) checked(partName, headerMember, name);
  if (new Set(parts).size < parts.length) throw refused(headerMember, 'it names a part twice');
  if (!isObject(components) || Object.keys(components).length > 1000) throw refused(headerMember, 'it has no components');
  const rest = checked(backupHeader.omit({ parts: true }), headerMember, value);
  return { ...rest, parts: parts as string[] };
}

/** The manifest out of its member's text; its parts are those of the header, and no others. @throws BackupFault */
export function acceptedManifest(text: string, header: BackupHeader): BackupManifest {
  const { parts, pause } = objectIn(manifestMember, text);
  if (!isObject(parts)) throw refused(manifestMember, 'it has no parts');
  const names = Object.keys(parts);
  const known = new Set(header.parts);
  const strange = names.find((name) => !known.has(name));
  if (strange !== undefined) throw refused(manifestMember, `it names ${strange.slice(0, 100)}, which the header does not`);
  let leftOut = 0;
  const summaries = names.map((name): [string, PartSummary] => {
    const part = parts[name];
    const list = isObject(part) ? part.leftOut : undefined;
    leftOut += Array.isArray(list) ? list.length : 0;
    if (leftOut > limits.leftOut) throw refused(manifestMember, `it names more than ${limits.leftOut} paths that were left out`);
    return [name, checked(partSummary, manifestMember, part)];
  });
  return { parts: Object.fromEntries(summaries), pause: checked(z.number().min(0), manifestMember, pause) };
}

function objectIn(member: string, text: string): Record<string, unknown> {
  if (isTooMuch(text)) throw refused(member, 'it holds too much');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BackupFault('refused', `${member} is no JSON`, { cause: error });
  }
  if (!isObject(value)) throw refused(member, 'it is no object');
  return value;
}

/** Counted before it is read: each value takes a hundred times the memory of its text. */
function isTooMuch(text: string): boolean {
  let [values, commas] = [0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x7b || code === 0x5b) values += 1;
    else if (code === 0x2c) commas += 1;
  }
  return values > limits.values || commas > limits.commas;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checked<T>(schema: z.ZodType<T>, member: string, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const { path, message } = error.issues[0] ?? { path: [], message: 'it is wrong' };
  throw refused(member, [...path.map(String), message].join(': '));
}

function refused(member: string, why: string): BackupFault {
  return new BackupFault('refused', `${member}: ${why.slice(0, 300)}`);
}
