import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { dataDiskTrouble } from './data-disk.ts';

/** A request the API turns down, with its HTTP status. */
export class Refusal extends UserError {
  readonly status: number;

  constructor(status: number, message: string, options: ConstructorParameters<typeof UserError>[1] = {}) {
    super(message, options);
    this.name = 'Refusal';
    this.status = status;
  }
}

/** The answer to any error: what the client prints, and nothing of what only the journal should know. */
export function refusalOf(thrown: unknown): { status: number; body: object } {
  const error = dataDiskTrouble(thrown) ?? thrown;
  if (!(error instanceof UserError)) {
    console.error(error);
    const message = 'something went wrong that is our fault';
    return { status: 500, body: shown(new UserError(message, { hint: 'journalctl -u devserverd', exitCode: exitCodes.bug })) };
  }
  return { status: error instanceof Refusal ? error.status : statusOf(error), body: shown(error) };
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
