import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';

/** Until the next boot, and not on the data disk: that it is full is one of the things to tell. */
const toldFile = path.join(appliancePaths.run, 'mail-told.json');

const schema = z.object({ at: z.iso.datetime(), about: z.array(z.string()) });
/** The last mail: when, and of which warnings. */
export type Told = Readonly<z.output<typeof schema>>;

export function lastTold(file = toldFile): Told | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

export function keepTold(told: Told, file = toldFile): void {
  writeFileAtomically(file, `${JSON.stringify(told)}\n`, 0o600);
}

const hour = 3_600_000;
/** Hours after which what goes on is told again. */
const again = 7 * 24;
/** Hours between two mails: what comes and goes fills no mailbox. */
const between = 6;

/** What a warning is about, whatever it counts: days and percents change by themselves. */
export const aboutOf = (text: string): string =>
  text.replaceAll(/\d{8}T\d{6}Z|\d{4}-\d\d-\d\d|[\d.]+(?= (?:%|days?\b|[MG]B\b))/g, '#');

/** Whether to send a mail now: of something new, of what goes on for a week, or that it is over. Pure. */
export function isMailDue(texts: readonly string[], told: Told | undefined, now: Date): boolean {
  if (told === undefined) return texts.length > 0;
  const hours = (now.getTime() - Date.parse(told.at)) / hour;
  // a clock that was put back keeps nobody from being told
  if (hours >= 0 && hours < between) return false;
  if (texts.length === 0) return told.about.length > 0;
  return hours >= again || hours < 0 || texts.some((text) => !told.about.includes(aboutOf(text)));
}
