import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Outcome } from './outcome.ts';
import type { BuildRequest } from './request.ts';

/** component.yaml says the same. */
const spool = '/srv/spool/builds';

/** The hint that a build has ended, in the form of docs/projects.md. */
export function eventText({ project, number, url }: BuildRequest, { result }: Outcome, seconds: number): string {
  return `project ${project}\nuser \nchange ${number} ${result} ${url} ${Math.round(seconds)}\n`;
}

/** Leaves the hint for the daemon. A full disk is no reason for a build to fail: it is told, and that is all. */
export function hint(request: BuildRequest, outcome: Outcome, seconds: number, now: Date): void {
  const name = `${now.getTime()}-${request.project}`;
  try {
    writeFileSync(path.join(spool, `.${name}`), eventText(request, outcome, seconds));
    // the folder's group, which is the daemon's, may read it, whatever the umask
    chmodSync(path.join(spool, `.${name}`), 0o640);
    renameSync(path.join(spool, `.${name}`), path.join(spool, name));
  } catch (error) {
    console.error(`no hint for the end of a build of ${request.project}: ${String(error)}`);
  }
}
