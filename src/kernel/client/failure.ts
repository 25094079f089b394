import { type ExitCode, exitCodes, UserError } from '../errors.ts';
import { curlLine, type Reach, type RemoteReach } from './reach.ts';

/** What the server refused, in its own words. An answer that is no refusal gives undefined. */
export function refusalIn(last: Readonly<Record<string, unknown>> | undefined, status: number): UserError | undefined {
  const error = last?.error as { message?: string; hint?: string; details?: string[]; exitCode?: ExitCode } | undefined;
  // a job that failed says so as its state, in `error` as a text: that is an answer
  if (typeof error !== 'object' || error === null || (status < 400 && last?.type !== 'error')) return undefined;
  return new UserError(error.message ?? 'it was refused', {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }),
    details: error.details ?? [],
  });
}

/** An answer that is not the API's: the front's own page, or another server. */
export function unreadable(reach: Reach, status: number): UserError {
  if (status === 401)
    return new UserError(
      `the login is not right${'socket' in reach ? '' : `: ${reach.user}, with the password that was given`}`,
      {
        hint: '--user NAME, and the password that counts at the address of the server',
        exitCode: exitCodes.usage,
      },
    );
  if (status === 502 || status === 503 || status === 504)
    return new UserError(`the server answered ${status}: its daemon does not answer`, {
      hint: 'it may be starting: try again in a minute; inside: systemctl status devserverd',
    });
  return new UserError(`the server answered ${status}, and not as the API does`, {
    hint: 'is that the address of a devserver, and of a version that knows this?',
  });
}

/** The connection broke while a job may have been running. */
export function cutShort(reach: Reach, job: string | undefined): UserError {
  return new UserError('the connection broke; what was begun is ended or taken back by the server', {
    hint: `how it went: ${howToLook(reach, job)}`,
    exitCode: exitCodes.failedNotUndone,
  });
}

/** Ctrl-C. `begun`: the server may be at it already, with this job if it has said so. */
export function interrupted(reach: Reach, begun?: { readonly job: string | undefined }): UserError {
  if (begun === undefined) return new UserError('interrupted; nothing was done', { exitCode: exitCodes.interrupted });
  const { job } = begun;
  return new UserError(job === undefined ? 'interrupted; the server may have begun' : `interrupted; the job ${job} goes on`, {
    hint: `how it went: ${howToLook(reach, job)}`,
    exitCode: exitCodes.interrupted,
  });
}

/** No connection, or none that can be trusted. */
export function unreachable(reach: Reach, error: NodeJS.ErrnoException): UserError {
  if ('socket' in reach) {
    const hint = error.code === 'EACCES' ? 'run it as root (sudo)' : 'systemctl status devserverd';
    return new UserError(`the daemon can't be reached: ${error.message}`, { hint, exitCode: exitCodes.machineLacks });
  }
  // several addresses that all fail make an error without a message of its own
  const why = error.message === '' ? (error.code ?? 'no answer') : error.message;
  const notTrusted = distrust(reach, error.code ?? '');
  if (notTrusted === undefined)
    return new UserError(`${reach.url} can't be reached: ${why}`, {
      hint: 'is the address right, and the server on?',
      exitCode: exitCodes.machineLacks,
    });
  return new UserError(`${reach.url} is not trusted, nothing was sent: ${why}`, {
    ...notTrusted,
    exitCode: exitCodes.machineLacks,
  });
}

/** What to do about a certificate, by the code of OpenSSL's or Node's complaint; undefined for any other complaint. */
function distrust({ url, authority }: RemoteReach, code: string): { hint: string; details?: string[] } | undefined {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return { hint: 'is the clock of this computer right? The server renews its certificate when it starts' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { hint: 'use an address that stands in the certificate' };
  if (!/^(?:DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET)|CERT_|INVALID_(?:CA|PURPOSE))/.test(code))
    return undefined;
  const fingerprint = 'openssl x509 -noout -fingerprint -sha256 -in';
  return {
    details: [
      'take the certificate of its authority, and look at its fingerprint:',
      `  curl --insecure -o ca.crt ${url}/ca.crt`,
      `  ${fingerprint} ca.crt`,
      'on the server itself, as root, this must print the same:',
      `  ${fingerprint} /srv/system/secrets/*/ca.crt`,
    ],
    hint:
      authority === undefined
        ? 'where the two are the same: --ca ca.crt'
        : `${authority.file} is not the certificate of its authority; where the two are the same: --ca ca.crt`,
  };
}

function howToLook(reach: Reach, job: string | undefined): string {
  if ('socket' in reach) return job === undefined ? 'devserver job list' : `devserver job show ${job}`;
  return curlLine(reach, job === undefined ? '/projects' : `/jobs/${job}`);
}
