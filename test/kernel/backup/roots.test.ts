import { describe, expect, it } from 'vitest';
import { backupSchema } from '../../../src/kernel/catalogue/project-schema.ts';

/** Where the schema finds something wrong. */
function faults(data: object): string[] {
  const { error } = backupSchema.safeParse(data);
  return error?.issues.map(({ path, message }) => [path.join('.'), message].join(': ')) ?? [];
}

describe('what a component calls data', () => {
  it('lies below /srv, by names of its own', () => {
    expect(faults({ system: { key: '/srv/ci/hudson/secret.key' }, project: { job: '/srv/ci/hudson/jobs/{project}' } })).toEqual(
      [],
    );
    for (const place of ['/etc/passwd', '/srv', '/srv/../etc', 'srv/git', '/srv/git/{project}'])
      expect(faults({ system: { key: place } }), place).toEqual(['system.key: must be a path such as /srv/system/site.json']);
    for (const place of ['/srv/git', '/srv/git/{project}/x', '/srv/{project}.git/..', '/srv/git/x{project}'])
      expect(faults({ project: { key: place } }), place).toEqual(['project.key: must be a path such as /srv/git/{project}.git']);
  });

  it('names roots that are there, each once', () => {
    const roots = { system: { key: '/srv/one' }, project: { job: '/srv/jobs/{project}' } };
    expect(
      faults({ ...roots, only: ['job/builds'], derived: ['job/.tmp/x'], setAside: ['job/a b', 'key'], dumped: ['key'] }),
    ).toEqual([]);
    expect(faults({ ...roots, derived: ['work/x'] })).toEqual(['derived.0: names no root of system or project']);
    expect(faults({ ...roots, placeholders: { 'work/x': '' } })).toEqual([
      'placeholders.work/x: names no root of system or project',
    ]);
    expect(faults({ ...roots, system: { aside: '/srv/one' } })[0]).toContain('no root can be called aside');
    expect(faults({ ...roots, dumped: ['job'] })).toEqual(['dumped.0: names no root of system']);
    expect(faults({ ...roots, project: { key: '/srv/k/{project}' } })).toEqual(['project.key: the root key is there twice']);
    for (const place of ['work', 'job/', 'job/../x', 'job/*', 'job/./x', 'job//x', '/job/x'])
      expect(faults({ ...roots, setAside: [place] }), place).not.toEqual([]);
  });

  it('comes from each earlier form to the next by a program, and another looks at it', () => {
    const roots = { system: { key: '/srv/one' }, project: { job: '/srv/jobs/{project}' } };
    const step = { from: 1, root: 'job', apply: ['/usr/bin/apply', '{place}'], check: ['/usr/bin/check', '{place}'] };
    expect(faults({ ...roots, format: 3, migrations: [step, { ...step, from: 2 }] })).toEqual([]);
    expect(faults({ ...roots, format: 3, migrations: [{ ...step, from: 2 }] })).toEqual([
      'migrations: nothing takes data from form 1 to 2',
    ]);
    expect(faults({ ...roots, migrations: [step] })).toEqual(['migrations.0.from: must be below format 1']);
    expect(faults({ ...roots, format: 2, migrations: [{ ...step, root: 'work' }] })).toEqual([
      'migrations.0.root: names no root that lies on the disk as it is',
    ]);
    expect(faults({ ...roots, format: 2, migrations: [{ ...step, apply: ['apply'] }] })).toEqual([
      'migrations.0.apply: must begin with the path of a program',
    ]);
  });
});
