import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { Audit } from '../audit/open-audit.ts';
import type { Archive } from './archive.ts';
import type { Backends } from './backends.ts';
import type { Deleted } from './deleted.ts';
import type { FactsFolder, TemplateFacts } from './facts.ts';
import type { FormerNames } from './former-names.ts';
import type { AtLine } from './journal.ts';
import type { Specifications } from './specifications.ts';

/** All a job touches; each part is an edge of its own. */
export interface Bench {
  readonly catalogue: ApplianceCatalogue;
  /** Folder of the jobs' journals. */
  readonly jobs: string;
  readonly specifications: Specifications;
  readonly deleted: Deleted;
  readonly facts: FactsFolder;
  readonly formerNames: FormerNames;
  readonly backends: Backends;
  readonly archive: Archive;
  readonly audit: Audit;
  /** The site's address without a slash behind it. */
  readonly url: () => string;
  readonly templateOf: (name: string) => TemplateFacts;
  readonly atLine?: AtLine;
  /** Milliseconds an undo is tried again: a client waits, a backend may be starting. */
  readonly patience?: { readonly live: number; readonly takenUp: number };
}
