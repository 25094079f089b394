import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import type { Office } from '../api/office.ts';
import { openAudit } from '../audit/open-audit.ts';
import { readSite } from '../boot/site.ts';
import { askDriver, askSocket } from '../drivers.ts';
import { openPeople } from '../users/people.ts';
import { openArchive } from './archive.ts';
import { type Ask, openBackends } from './backends.ts';
import type { Bench } from './bench.ts';
import { openDeleted } from './deleted.ts';
import { openFacts } from './facts.ts';
import { faultsOfEnvironment } from './faults.ts';
import { openFormerNames } from './former-names.ts';
import { openSecrets } from './secrets.ts';
import { openSpecifications } from './specifications.ts';
import { listTemplates, templateFolders } from './templates.ts';
import { openWorkshop } from './workshop.ts';

const own = `${appliancePaths.system}/devserverd`;

/** What `read` says now, and what it said at most so many milliseconds ago. */
function remembered<T>(milliseconds: number, read: () => T): { now: () => T; lately: () => T } {
  let kept: { readonly value: T; readonly until: number } | undefined;
  const now = (): T => {
    const value = read();
    kept = { value, until: performance.now() + milliseconds };
    return value;
  };
  return { now, lately: () => (kept === undefined || performance.now() > kept.until ? now() : kept.value) };
}

/** Everything the API works with, on this appliance's own files and drivers. */
export function openOffice(catalogue: ApplianceCatalogue): Office {
  const ask: Ask = (name, verb, args, seconds) => {
    const component = catalogue.components.find((it) => it.name === name);
    if (component === undefined) throw new Error(`there is no component ${name}`);
    return askDriver(component, verb, args, seconds);
  };
  // who makes a project sees a template just laid there; a list of a thousand projects asks for the template of each
  const templates = remembered(1000, () => listTemplates(catalogue, templateFolders, (text) => console.error(text)));
  // such a list asks for the address as often; only a boot changes it
  const site = remembered(1000, readSite);
  const people = openPeople(catalogue, ask);
  const facts = openFacts(`${appliancePaths.run}/facts`);
  const jobs = path.join(own, 'jobs');
  mkdirSync(jobs, { recursive: true, mode: 0o700 });
  const bench: Bench = {
    catalogue,
    jobs,
    specifications: openSpecifications(path.join(own, 'projects')),
    deleted: openDeleted(path.join(own, 'deleted')),
    facts,
    formerNames: openFormerNames(`${appliancePaths.run}/renamed/names`),
    backends: openBackends(catalogue, ask, openSecrets(path.join(own, 'secrets'))),
    archive: openArchive((verb, args, seconds) =>
      askSocket(`${appliancePaths.run}/archive.sock`, verb, args, seconds, 'the archive', 'devserver-archive'),
    ),
    audit: openAudit(),
    url: () => site.lately().url,
    // a template that has gone builds nothing any more
    templateOf: (name) => ({ build: templates.lately().find((it) => it.name === name)?.build ?? null }),
    atLine: faultsOfEnvironment(process.env),
  };
  const workshop = openWorkshop(bench);
  return {
    ...{ catalogue, bench, workshop, people, templates: templates.now },
    publishSite: async () => {
      const { people: list, groups } = await people.content();
      const enabled = new Set(list.filter(({ disabled }) => !disabled).map(({ name }) => name));
      facts.publishSite({ admins: groups.admins.filter((it) => enabled.has(it)) });
    },
  };
}
