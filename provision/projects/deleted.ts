import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { jobPattern } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { type ProjectSpecification, projectSpecification } from '../../src/kernel/project.ts';
import { type Accounts, accounts } from '../users/accounts.ts';

const schema = z.strictObject({
  job: z.string().regex(jobPattern),
  at: z.iso.datetime(),
  project: projectSpecification,
  // none in a record of an earlier release: then nobody is known to be the same
  accounts: accounts.default({}),
});

/** A deleted project that can still be had back. */
export type DeletedProject = Readonly<z.output<typeof schema>>;

export interface Deleted {
  readonly all: () => DeletedProject[];
  readonly keep: (job: string, project: ProjectSpecification, accounts: Accounts) => void;
  readonly drop: (job: string) => void;
}

/** Days a deleted project is kept. */
export const daysKept = 30;

/** Records of deleted projects as files JOB.yaml of `folder`. */
export function openDeleted(folder: string, now: () => Date = () => new Date()): Deleted {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const all = (): DeletedProject[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .flatMap((name) => {
        const record = readOne(path.join(folder, name));
        if (record === undefined) console.error(`${path.join(folder, name)} can't be read: it is left as it is`);
        return record ?? [];
      })
      .sort((a, b) => (a.at < b.at ? -1 : 1));
  return {
    all,
    keep: (job, project, members) => {
      // told again after a crash: the day of the first time counts
      if (all().some((it) => it.job === job)) return;
      const record = { job, at: now().toISOString(), project, accounts: members };
      writeFileAtomically(path.join(folder, `${job}.yaml`), stringify(record), 0o600);
    },
    drop: (job) => rmSync(path.join(folder, `${job}.yaml`), { force: true }),
  };
}

/** One that can't be read must not keep the others from being had back, nor anything from being deleted. */
function readOne(file: string): DeletedProject | undefined {
  try {
    return schema.parse(parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Those past their days. */
export function expired(all: readonly DeletedProject[], now: Date): DeletedProject[] {
  return all.filter(({ at }) => now.getTime() - Date.parse(at) > daysKept * 86_400_000);
}
