import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { type ProjectSpecification, type UsableFact, usableFacts } from '../../src/kernel/project.ts';
import type { Accounts } from '../users/accounts.ts';
import { type Resource, resourcesOf } from './resources.ts';

/** What shall become of a project; also what the journal keeps of it. */
export type Change =
  | { readonly kind: 'create'; readonly after: ProjectSpecification }
  | { readonly kind: 'update'; readonly before: ProjectSpecification; readonly after: ProjectSpecification }
  /** `accounts`: who its members are now, whatever becomes of their names; ADR 0014. */
  | { readonly kind: 'delete'; readonly before: ProjectSpecification; readonly accounts?: Accounts | undefined }
  /** `from` is the job that deleted it: its stash and archive have that name. */
  | { readonly kind: 'undelete'; readonly after: ProjectSpecification; readonly from: string }
  /** `from` is the name under which its data was taken out of a backup. */
  | { readonly kind: 'restore'; readonly after: ProjectSpecification; readonly from: string }
  /** The two differ in their names. */
  | { readonly kind: 'rename'; readonly before: ProjectSpecification; readonly after: ProjectSpecification };

/** adopt: data comes out of the stash, and what it derives is made anew over it. */
export type Verb = 'place' | 'adopt' | 'make' | 'apply' | 'remove' | 'stash' | 'unstash' | 'pack' | 'unpack' | 'drop' | 'purge';

/** One act and how it is taken back. */
export interface Step {
  /** The resource's key, or `archive`. */
  readonly key: string;
  readonly verb: Verb;
  /** Whether the act is told the project as it was or as it shall be. */
  readonly with: 'before' | 'after';
  readonly undo: { readonly verb: Verb; readonly with: 'before' | 'after' };
}

export interface ChangePlan {
  readonly change: Change;
  readonly steps: readonly Step[];
  /** Acts after the commit: they only clean up and can be done again. */
  readonly afterwards: readonly { readonly key: string; readonly verb: Verb }[];
}

/** The archive of a deleted project is one more thing that is made and taken back. */
export const archiveKey = 'archive';

/** What a change does, step by step. Pure. */
export function planChange(catalogue: ApplianceCatalogue, change: Change): ChangePlan {
  switch (change.kind) {
    case 'create':
      return { change, steps: resourcesOf(catalogue, change.after).map(created), afterwards: [] };
    case 'update':
      return { change, steps: updated(catalogue, change.before, change.after), afterwards: [] };
    case 'delete':
      return deletion(catalogue, change);
    case 'undelete':
      return undeletion(catalogue, change);
    case 'restore':
      return restoration(catalogue, change);
    case 'rename':
      return renaming(catalogue, change);
  }
}

/** The names of the project a change is about: one, but for a change of the name. */
export function projectsOf(change: Change): readonly string[] {
  return change.kind === 'rename' ? [change.before.name, change.after.name] : [projectOf(change)];
}

/** The name of the project a change is about, as it was when somebody asked for it. */
export function projectOf(change: Change): string {
  return change.kind === 'delete' || change.kind === 'rename' ? change.before.name : change.after.name;
}

/** What was done to it, in a few words. */
export function wordsOf(change: Change): string {
  return change.kind === 'rename' ? `rename to ${change.after.name}` : change.kind;
}

/** Facts in which two states of a project differ. */
export function changedFacts(before: ProjectSpecification, after: ProjectSpecification): UsableFact[] {
  const text = (value: unknown): string => JSON.stringify(typeof value === 'object' ? Object.entries(value ?? {}).sort() : value);
  return usableFacts.filter((fact) => text(before[fact]) !== text(after[fact]));
}

function created({ key, holds }: Resource): Step {
  return { key, verb: holds === 'data' ? 'make' : 'apply', with: 'after', undo: { verb: 'remove', with: 'after' } };
}

/** Those that let people in go first: who is no member any more is out before anything else happens. */
function updated(catalogue: ApplianceCatalogue, before: ProjectSpecification, after: ProjectSpecification): Step[] {
  const [old, wanted] = [resourcesOf(catalogue, before), resourcesOf(catalogue, after)];
  const has = (list: readonly Resource[], key: string): boolean => list.some((it) => it.key === key);
  const changed = changedFacts(before, after);
  const steps = [...wanted, ...old.filter(({ key }) => !has(wanted, key))].flatMap(
    (resource): { opens: boolean; step: Step }[] => {
      const { key, uses, opens } = resource;
      if (!has(wanted, key))
        return [{ opens, step: { key, verb: 'remove', with: 'before', undo: { verb: 'apply', with: 'before' } } }];
      if (!has(old, key)) return [{ opens, step: created(resource) }];
      if (!uses.some((fact) => changed.includes(fact))) return [];
      return [{ opens, step: { key, verb: 'apply', with: 'after', undo: { verb: 'apply', with: 'before' } } }];
    },
  );
  return [...steps.filter(({ opens }) => opens), ...steps.filter(({ opens }) => !opens)].map(({ step }) => step);
}

function deletion(catalogue: ApplianceCatalogue, change: Change & { kind: 'delete' }): ChangePlan {
  const resources = resourcesOf(catalogue, change.before);
  const steps = [...resources].reverse().map((it) => putAside(it, 'unstash'));
  const pack: Step = { key: archiveKey, verb: 'pack', with: 'before', undo: { verb: 'drop', with: 'before' } };
  return {
    change,
    steps: [...steps, pack],
    afterwards: resources.filter(({ holds }) => holds === 'data').map(({ key }) => ({ key, verb: 'purge' as const })),
  };
}

/** Data is put where a deleted project's would lie, and comes back from there. */
function restoration(catalogue: ApplianceCatalogue, change: Change & { kind: 'restore' }): ChangePlan {
  const place: Step = { key: archiveKey, verb: 'place', with: 'after', undo: { verb: 'purge', with: 'after' } };
  return { change, steps: [place, ...resourcesOf(catalogue, change.after).map(adopted)], afterwards: [] };
}

/** As if it were deleted and came back under the other name; of its data nothing is copied. */
function renaming(catalogue: ApplianceCatalogue, change: Change & { kind: 'rename' }): ChangePlan {
  // data that comes back has to fit the project as it was: its configuration may have been made for the other name
  const gone = resourcesOf(catalogue, change.before)
    .reverse()
    .map((it) => putAside(it, 'adopt'));
  return { change, steps: [...gone, ...resourcesOf(catalogue, change.after).map(adopted)], afterwards: [] };
}

function putAside({ key, holds }: Resource, back: 'unstash' | 'adopt'): Step {
  return holds === 'data'
    ? { key, verb: 'stash', with: 'before', undo: { verb: back, with: 'before' } }
    : { key, verb: 'remove', with: 'before', undo: { verb: 'apply', with: 'before' } };
}

function adopted({ key, holds }: Resource): Step {
  return holds === 'data'
    ? { key, verb: 'adopt', with: 'after', undo: { verb: 'stash', with: 'after' } }
    : { key, verb: 'apply', with: 'after', undo: { verb: 'remove', with: 'after' } };
}

function undeletion(catalogue: ApplianceCatalogue, change: Change & { kind: 'undelete' }): ChangePlan {
  const resources = resourcesOf(catalogue, change.after);
  const unpack: Step = { key: archiveKey, verb: 'unpack', with: 'after', undo: { verb: 'purge', with: 'after' } };
  const back =
    (verb: Verb, undo: Verb) =>
    (key: string): Step => ({ key, verb, with: 'after', undo: { verb: undo, with: 'after' } });
  const steps = resources.map(({ key, holds }) =>
    holds === 'data' ? back('unstash', 'stash')(key) : back('apply', 'remove')(key),
  );
  return { change, steps: [unpack, ...steps], afterwards: [{ key: archiveKey, verb: 'drop' }] };
}
