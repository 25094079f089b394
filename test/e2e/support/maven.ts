import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Appliance } from '../appliance.ts';
import { type CliResult, must } from './cli.ts';
import type { Clients } from './clients.ts';
import type { Person } from './projects.ts';

/** Deploys one file as org.test:ARTIFACT:VERSION with the real Maven. */
export type Deploy = (person: Person, project: string, artifact: string, version: string, content: string) => Promise<CliResult>;

/** A Maven that trusts the appliance beside all that Java trusts, and logs in as any person. */
export async function mavenDeploy(appliance: Appliance, clients: Clients): Promise<Deploy> {
  const trust = await javaTrust(appliance, clients);
  return (person, project, artifact, version, content) => {
    const settings = clients.fresh('settings.xml');
    const server = `<server><id>appliance</id><username>${person}</username><password>${clients.password(person)}</password></server>`;
    writeFileSync(settings, `<settings><servers>${server}</servers></settings>`, { mode: 0o600 });
    const file = clients.fresh('artifact.jar');
    writeFileSync(file, content);
    const what = [`-Dfile=${file}`, '-DgroupId=org.test', `-DartifactId=${artifact}`, `-Dversion=${version}`, '-Dpackaging=jar'];
    const where = ['-DrepositoryId=appliance', `-Durl=${clients.url(`/archiva/repository/${project}`)}`];
    return clients.run('mvn', ['--batch-mode', '--settings', settings, ...trust, 'deploy:deploy-file', ...what, ...where]);
  };
}

/** Arguments by which a Java program of this computer trusts the appliance beside all that it trusts anyway. */
export async function javaTrust(appliance: Appliance, clients: Clients): Promise<string[]> {
  const store = clients.fresh('truststore');
  const properties = await must('sh', ['-c', 'java -XshowSettings:properties -version 2>&1']);
  const home = /java\.home = (.*)/.exec(properties)?.[1]?.trim() ?? '';
  await must('cp', ['--dereference', path.join(home, 'lib/security/cacerts'), store]);
  await must('chmod', ['600', store]);
  await must('keytool', [
    '-importcert',
    '-noprompt',
    '-alias',
    'devserver',
    '-file',
    appliance.ca,
    '-keystore',
    store,
    '-storepass',
    'changeit',
  ]);
  return [`-Djavax.net.ssl.trustStore=${store}`, '-Djavax.net.ssl.trustStorePassword=changeit'];
}
