import { exitCodes, UserError } from '../kernel/errors.ts';

const noAnswer =
  /Temporary failure resolving|Could not resolve|Could not connect|Network is unreachable|Connection (timed out|refused)/;

/** The failure as what it is when no package archive could be reached: this machine lacks something, and what helps. */
export function whenUnreachable(error: unknown): unknown {
  if (!(error instanceof UserError) || !error.details.some((line) => noAnswer.test(line))) return error;
  return new UserError("the package archive can't be reached", {
    hint: 'check the network and the proxy, or name a mirror that answers with --mirror URL',
    exitCode: exitCodes.machineLacks,
    details: error.details,
    cause: error,
  });
}
