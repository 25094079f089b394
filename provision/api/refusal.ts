import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { dataDiskTrouble } from './data-disk.ts';

type RefusalOptions = ConstructorParameters<typeof UserError>[1] & { readonly retryAfter?: number };

/** A request the API turns down, with its HTTP status. */
export class Refusal extends UserError {
  readonly status: number;
  /** Seconds after which it may be asked again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, options: RefusalOptions = {}) {
    super(message, options);
    this.name = 'Refusal';
    this.status = status;
    this.retryAfter = options.retryAfter;
  }
}

/** The answer to any error: what the client prints, and nothing of what only the journal should know. */
export function refusalOf(thrown: unknown): { status: number; body: object; headers: Record<string, string> } {
  const error = dataDiskTrouble(thrown) ?? thrown;
  if (!(error instanceof UserError)) {
    console.error(error);
    const message = 'something went wrong that is our fault';
    const bug = new UserError(message, { hint: 'journalctl -u devserverd', exitCode: exitCodes.bug });
    return { status: 500, body: shown(bug), headers: {} };
  }
  const { status, retryAfter } = error instanceof Refusal ? error : { status: statusOf(error) };
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  return { status, body: shown(error), headers };
}

function statusOf({ exitCode }: UserError): number {
  if (exitCode === exitCodes.badData || exitCode === exitCodes.usage) return 400;
  if (exitCode === exitCodes.busy) return 503;
  if (exitCode === exitCodes.machineLacks) return 507;
  return exitCode === exitCodes.failedNotUndone ? 500 : 409;
}

function shown({ message, hint, details, exitCode }: UserError): object {
  return { error: { message, ...(hint === undefined ? {} : { hint }), details, exitCode } };
}
