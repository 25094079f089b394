import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import type { System } from '../../src/kernel/system.ts';
import { readSite } from '../boot/site.ts';
import { askDriver } from '../drivers.ts';
import { httpStatus } from './http-status.ts';

export interface CheckResult {
  readonly component: string;
  readonly check: string;
  readonly ok: boolean;
  /** What was seen when it is not ok. */
  readonly seen?: string;
  readonly hint?: string;
}

type Check = ApplianceComponent['checks'][number];

/** Runs every component's checks, all at once. */
export async function runChecks(catalogue: ApplianceCatalogue, system: System): Promise<CheckResult[]> {
  const jobs = catalogue.components.flatMap((component) =>
    component.checks.map((check) => runCheck(component, check, catalogue, system)),
  );
  return Promise.all(jobs);
}

async function runCheck(
  component: ApplianceComponent,
  check: Check,
  catalogue: ApplianceCatalogue,
  system: System,
): Promise<CheckResult> {
  const seen = await lookAt(component, check, catalogue, system).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  const about = { component: component.name, check: check.name };
  return seen === undefined ? { ...about, ok: true } : { ...about, ok: false, seen, hint: check.hint };
}

/** What is wrong, or undefined. */
async function lookAt(
  component: ApplianceComponent,
  check: Check,
  catalogue: ApplianceCatalogue,
  system: System,
): Promise<string | undefined> {
  if (check.unit !== undefined) {
    const { stdout } = await system.run(
      { file: 'systemctl', args: ['is-active', '--', check.unit], timeout: 20_000 },
      { accept: 'any' },
    );
    return stdout.trim() === 'active' ? undefined : `${check.unit} is ${stdout.trim() || 'unknown'}`;
  }
  if (check.http !== undefined) {
    const { host, port, path, expect } = check.http;
    const status = await httpStatus({ protocol: 'http', address: host, port, path, host: readSite().urlAuthority });
    return expect.includes(status) ? undefined : `port ${port} answered ${status} instead of ${expect.join(' or ')}`;
  }
  if (check.https !== undefined) {
    const status = await httpStatus({
      protocol: 'https',
      address: '127.0.0.1',
      port: 443,
      path: check.https.path,
      host: readSite().urlAuthority,
      authority: webAuthority(catalogue),
    });
    return check.https.expect.includes(status)
      ? undefined
      : `${check.https.path} answered ${status} instead of ${check.https.expect.join(' or ')}`;
  }
  if (check.driver !== undefined) {
    await askDriver(component, check.driver, {}, 30);
    return undefined;
  }
  return 'the check says nothing to look at';
}

/** File of the authority behind the front's certificate, as the web role exports it. */
export function webAuthority(catalogue: ApplianceCatalogue): string {
  return String(catalogue.roles.web?.authority ?? '');
}
