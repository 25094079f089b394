import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { jobPattern, projectNamePattern } from './appliance.ts';
import type { ResourceArgs } from './project.ts';

/** One request of the daemon: a JSON line. */
export interface DriverRequest {
  readonly id: number;
  readonly verb: string;
  readonly args: unknown;
}

/** One answer: a JSON line. */
export type DriverAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly hint?: string };

/** What a driver does for a verb; its arguments are checked by the verb itself, for the caller is not trusted. */
export type Verb = (args: unknown) => Promise<unknown>;

/** A refusal the daemon may show to people as it stands. */
export class DriverError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'DriverError';
    this.hint = hint;
  }
}

/** The verbs about one kind of resource of a component; docs/projects.md. Those that hold no data have no make, stash, unstash, purge. */
export interface ResourceVerbs {
  /** The projects of which there is one, by name, whether or not there are such projects; at one go, since there may be thousands. */
  readonly list: () => Promise<readonly string[]>;
  readonly read: (args: ResourceArgs) => Promise<unknown>;
  readonly apply: (args: ResourceArgs) => Promise<void>;
  readonly remove: (args: ResourceArgs) => Promise<void>;
  readonly make?: (args: ResourceArgs) => Promise<void>;
  readonly stash?: (args: ResourceArgs) => Promise<void>;
  readonly unstash?: (args: ResourceArgs) => Promise<void>;
  readonly purge?: (args: ResourceArgs) => Promise<void>;
}

/**
 * The verbs of `resources` by id, for serveDriver: each call is sent to the resource it names, after its arguments were
 * checked again. The caller is not trusted: the project's name and the job's are held against their patterns here too.
 */
export function resourceVerbs(resources: Readonly<Record<string, ResourceVerbs>>): Record<string, Verb> {
  const names = ['read', 'apply', 'remove', 'make', 'stash', 'unstash', 'purge'] as const;
  const verbOf = <T extends keyof ResourceVerbs>(resource: string, verb: T): NonNullable<ResourceVerbs[T]> => {
    const act = Object.hasOwn(resources, resource) ? resources[resource]?.[verb] : undefined;
    if (act === undefined) throw new DriverError(`this driver can not ${verb} ${resource}`);
    return act;
  };
  const aboutOne = names.map((verb): [string, Verb] => [
    verb,
    async (given) => {
      const args = checkedArgs(given);
      const act: (args: ResourceArgs) => Promise<unknown> = verbOf(args.resource, verb);
      return inTurn(args.project.name, () => act(args));
    },
  ]);
  return {
    ...Object.fromEntries(aboutOne),
    list: async (given) => verbOf(resourceIn(given), 'list')(),
  };
}

const last = new Map<string, Promise<unknown>>();

/** One verb at a time per project: a caller that gave up waiting and asks again must not meet its own first try. */
function inTurn(project: string, act: () => Promise<unknown>): Promise<unknown> {
  const mine = (last.get(project) ?? Promise.resolve()).then(act, act);
  last.set(project, mine);
  const forget = (): void => {
    if (last.get(project) === mine) last.delete(project);
  };
  mine.then(forget, forget);
  return mine;
}

function checkedArgs(given: unknown): ResourceArgs {
  const args = given as Partial<ResourceArgs> | null;
  const name = args?.project?.name;
  resourceIn(given);
  if (typeof name !== 'string' || !wholeProjectName.test(name))
    throw new DriverError(`${JSON.stringify(name)} is no project's name`);
  if (typeof args?.job !== 'string' || !jobPattern.test(args.job))
    throw new DriverError(`${JSON.stringify(args?.job)} is no job`);
  return args as ResourceArgs;
}

function resourceIn(given: unknown): string {
  const resource = (given as Partial<ResourceArgs> | null)?.resource;
  if (typeof resource !== 'string') throw new DriverError('no resource is named');
  return resource;
}

const wholeProjectName = new RegExp(`^${projectNamePattern}$`);

const maxLine = 1024 * 1024;

/**
 * Serves a driver's verbs on the socket systemd handed over (file descriptor 3) and ends when nobody
 * has asked for `idleSeconds`: the next request starts it again.
 */
export function serveDriver(verbs: Readonly<Record<string, Verb>>, idleSeconds = 120): void {
  // connections and verbs under way: a verb goes on when its caller has given up waiting
  let busy = 0;
  let timer: NodeJS.Timeout | undefined;
  const rest = (): void => {
    clearTimeout(timer);
    if (busy === 0) timer = setTimeout(() => process.exit(0), idleSeconds * 1000);
  };
  const begin = (): (() => void) => {
    busy += 1;
    clearTimeout(timer);
    return () => {
      busy -= 1;
      rest();
    };
  };
  const server = createServer((socket) => {
    socket.on('close', begin());
    socket.on('error', () => socket.destroy());
    answerLines(socket, verbs, begin);
  });
  server.listen({ fd: 3 });
  rest();
}

function answerLines(socket: Socket, verbs: Readonly<Record<string, Verb>>, begin: () => () => void): void {
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
    if (received > maxLine) socket.destroy();
  });
  const lines = createInterface({ input: socket });
  // a caller that gives up resets the connection; readline would make that an error nobody handles
  lines.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    received = 0;
    const end = begin();
    void answer(line, verbs)
      .then((reply) => {
        if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
      })
      .finally(end);
  });
}

async function answer(line: string, verbs: Readonly<Record<string, Verb>>): Promise<DriverAnswer> {
  let id = 0;
  try {
    const request = JSON.parse(line) as DriverRequest;
    id = request.id;
    const verb = Object.hasOwn(verbs, request.verb) ? verbs[request.verb] : undefined;
    if (verb === undefined) throw new DriverError(`this driver has no verb ${String(request.verb)}`);
    return { id, ok: true, value: (await verb(request.args)) ?? null };
  } catch (error) {
    if (!(error instanceof DriverError)) console.error(error);
    const message = error instanceof Error ? error.message : String(error);
    return { id, ok: false, message, ...(error instanceof DriverError && error.hint !== undefined ? { hint: error.hint } : {}) };
  }
}
