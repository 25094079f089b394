import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestProject as VitestProject } from 'vitest/node';
import { applianceFolder, applianceToBuild } from './support/built.ts';
import { checkout, cli, mustCli } from './support/cli.ts';
import { layOut, projects } from './support/projects.ts';

/** The one appliance the e2e tests share, as they see it. */
export interface Appliance {
  /** Its folder. */
  readonly dir: string;
  /** https://127.0.0.1:PORT, without a slash behind. */
  readonly url: string;
  /** http://127.0.0.1:PORT, where all but the authority's certificate is sent on. */
  readonly httpUrl: string;
  readonly adminPassword: string;
  /** File with the certificate of its authority. */
  readonly ca: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    appliance: Appliance;
  }
}

const own = applianceFolder(checkout);
/** A running appliance to test in place of a fresh one; while tests are written it saves a build and a boot per run. */
const borrowed = process.env.DEVSERVER_E2E_DIR;

/** Builds debian-13 with the default stack, boots it natively, lays out people and projects. */
export async function setup(project: VitestProject): Promise<void> {
  const dir = await builtAppliance();
  if (borrowed !== undefined) await requireRunning(borrowed);
  const lines = (await mustCli(['up', dir, '--backend', 'nspawn', '--wait', '--json'])).trim().split('\n');
  const result = JSON.parse(lines.at(-1) ?? '') as { url: string; adminPasswordFile: string };
  const url = result.url.replace(/\/$/, '');
  const ca = path.join(dir, 'ca.crt');
  writeFileSync(ca, await mustCli(['exec', dir, '--', 'cat', '/srv/system/secrets/apache/ca.crt']));
  const { ports } = JSON.parse(await mustCli(['status', dir, '--json'])) as { ports: { http: number } };
  if (borrowed === undefined || !(await isLaidOut(dir))) await layOut(dir);
  project.provide('appliance', {
    dir,
    url,
    httpUrl: `http://127.0.0.1:${ports.http}`,
    ca,
    adminPassword: readFileSync(result.adminPasswordFile, 'utf8').trim(),
  });
}

export async function teardown(): Promise<void> {
  if (borrowed === undefined) await cli(['down', own]);
}

/** The folder of a server that has its image: the borrowed one, the one npm test built, or a fresh one. */
export async function builtAppliance(): Promise<string> {
  if (borrowed !== undefined) return borrowed;
  if (process.env.DEVSERVER_E2E_BUILT !== undefined) return own;
  await cli(['down', own]);
  rmSync(own, { recursive: true, force: true });
  await mustCli(applianceToBuild(checkout));
  return own;
}

async function requireRunning(dir: string): Promise<void> {
  const { stdout } = await cli(['status', dir, '--json']);
  const { running } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { running: boolean };
  if (!running)
    throw new Error(`DEVSERVER_E2E_DIR=${dir} is off: start it with "npm start -- up ${dir} --backend nspawn --wait"`);
}

/** The last project to be made has its last part. */
async function isLaidOut(dir: string): Promise<boolean> {
  return (await cli(['exec', dir, '--', 'test', '-e', `/srv/trac/${projects.at(-1)?.name}/VERSION`])).exitCode === 0;
}
