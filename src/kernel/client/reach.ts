import type { Secret } from '../secret.ts';

/** How the daemon's API is reached. */
export type Reach = { readonly socket: string } | RemoteReach;

/** From another computer: over HTTPS, with a person's login. */
export interface RemoteReach {
  /** https://HOST[:PORT], without a slash behind. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  /** Trusted instead of this computer's own authorities. */
  readonly authority?: { readonly file: string; readonly certificate: string };
}

/** The command that asks the API for one thing, for a person to type. The password is asked for. */
export function curlLine({ url, user, authority }: RemoteReach, path: string): string {
  return ['curl', ...(authority === undefined ? [] : ['--cacert', typed(authority.file)]), '-u', user, `${url}/api${path}`].join(
    ' ',
  );
}

/** A word as a shell wants it typed. */
function typed(word: string): string {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
