import * as z from 'zod';

const roles = ['admin', 'developer', 'reader', 'builder'] as const;
const who = z.array(z.enum([...roles, 'any-user'])).default([]);
const method = z.string().regex(/^[A-Z]+$/, 'must be a method in capitals such as GET');
/** Lands between m# and # or between double quotes of the front's configuration. */
const pathPattern = z.string().refine(isPathPattern, 'must be a regular expression without ", # and blanks');

const accessSchema = z.strictObject({
  read: who,
  /** Who reads as well while the project is internal. */
  readInternal: z.array(z.enum(['any-user'])).default([]),
  write: who,
  /** Whether an archived project still takes writes here. */
  writeArchived: z.boolean().default(false),
});

/** One path of the front: where, for whom, and which requests only read. */
export const webSchema = z
  .strictObject({
    /** Path at the one address; `{project}` stands for a project's name. */
    at: z
      .string()
      .regex(/^\/$|^(\/[a-z][a-z0-9-]*)+(\/\{project\}(\.[a-z]+)?)?$/, 'must be / or a path such as /git/{project}.git'),
    title: z.string().optional(),
    access: accessSchema,
    /** Which requests only read; every other one is a write. Absent: all are reads. */
    reads: z
      .strictObject({
        methods: z.array(method).default([]),
        requests: z
          .array(
            z.strictObject({
              path: pathPattern,
              query: z
                .string()
                .regex(/^[A-Za-z0-9=&._-]*$/, 'must be a query without signs that need encoding')
                .optional(),
            }),
          )
          .default([]),
      })
      .optional(),
    /** The only methods a write may use; every other one is refused. */
    writeMethods: z.array(method).default([]),
    /** Nobody writes here, not even administrators. */
    readOnly: z.boolean().default(false),
    /** Below `at`: refused to all, as path patterns. */
    refuse: z.array(pathPattern).default([]),
    /** The backend drops ;parameters or decodes paths once more: refuse what the front and it read differently. */
    strictPaths: z.boolean().default(false),
    /** A backend that takes state-changing cross-site requests: refuse them here. */
    sameSiteOnly: z.boolean().default(false),
    /** The front answers 503 until the component's bootstrap has succeeded. */
    gate: z.boolean().default(false),
  })
  .superRefine((web, context) => {
    for (const { path, message } of contradictions(web)) context.addIssue({ code: 'custom', path, message });
  });

interface Web {
  readonly at: string;
  readonly access: z.output<typeof accessSchema>;
  readonly reads?: { readonly methods: readonly string[]; readonly requests: readonly unknown[] } | undefined;
  readonly writeMethods: readonly string[];
  readonly readOnly: boolean;
}

/** Tables that read well and would let somebody in, or nobody. */
function contradictions({ at, access, reads, writeMethods, readOnly }: Web): { path: (string | number)[]; message: string }[] {
  const perProject = at.includes('{project}');
  const faults: { path: (string | number)[]; message: string }[] = [];
  const fault = (path: (string | number)[], message: string): number => faults.push({ path, message });
  if (reads !== undefined && reads.methods.length + reads.requests.length === 0)
    fault(['reads'], 'names neither methods nor requests, so every write would count as a read');
  // the front page's writes are the daemon's own
  if (reads === undefined && access.write.length > 0 && at !== '/')
    fault(['access', 'write'], 'without reads: every request counts as a read and this would say nothing');
  if (reads === undefined && writeMethods.length > 0) fault(['writeMethods'], 'without reads: no request counts as a write');
  if (readOnly && reads === undefined)
    fault(['readOnly'], 'without reads: every request counts as a read and this would say nothing');
  if (readOnly && access.write.length + writeMethods.length > 0)
    fault(['readOnly'], 'although something here says who or what writes');
  if (perProject) return faults;
  for (const list of ['read', 'write'] as const) {
    access[list].forEach((role, index) => {
      if (role !== 'any-user')
        fault(['access', list, index], `${role} is a role in a project, so the path has to hold {project}`);
    });
  }
  if (access.readInternal.length > 0)
    fault(['access', 'readInternal'], 'only a project can be internal, so the path has to hold {project}');
  if (reads !== undefined && !readOnly && !access.writeArchived)
    fault(['access'], 'there is no project here that could be archived: say writeArchived: true, or nobody can write');
  return faults;
}

function isPathPattern(text: string): boolean {
  if (/["#\s]/.test(text)) return false;
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
