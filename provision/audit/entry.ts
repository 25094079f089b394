import * as z from 'zod';

/** Characters each part of an entry may have; a line stays far below what a terminal or a disk would mind. */
export const longest = { who: 64, what: 100, to: 100, job: 40, result: 400 } as const;

/** Who did what to what, and how it ended. */
export const auditEntry = z.strictObject({
  who: z.string().max(longest.who),
  what: z.string().min(1).max(longest.what),
  to: z.string().max(longest.to),
  /** A line about a job may come twice after a crash; its name tells. */
  job: z.string().max(longest.job).optional(),
  result: z.string().min(1).max(longest.result),
});
export type AuditEntry = z.output<typeof auditEntry>;

/** An entry whose parts are cut to what they may have. */
export function clipped({ who, what, to, job, result }: AuditEntry): AuditEntry {
  return {
    ...{ who: clip(who, longest.who), what: clip(what, longest.what), to: clip(to, longest.to) },
    ...(job === undefined ? {} : { job: clip(job, longest.job) }),
    result: clip(result, longest.result),
  };
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
