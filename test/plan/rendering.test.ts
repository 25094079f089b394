import { describe, expect, it } from 'vitest';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { bootContext } from '../../src/kernel/boot-context.ts';
import { render } from '../../src/kernel/render.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { allChoices, planOf, realCatalogue, textOf } from '../support/real.ts';

const catalogue = realCatalogue();
const bases = [...catalogue.bases.keys()];
const site = {
  hostname: 'dev.example.org',
  url: 'https://dev.example.org:8443',
  timezone: 'Etc/UTC',
  urlHost: 'dev.example.org',
  urlAuthority: 'dev.example.org:8443',
};

/** Units that the base's packages bring; nothing of ours renders them. */
const packagedUnits = new Set([
  'apache2.service',
  'ssh.service',
  'jenkins.service',
  'nftables.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
  'apt-daily-upgrade.timer',
]);

const plans = bases.flatMap((base) =>
  allChoices().map((choices) => ({
    base,
    what: `${base} ${JSON.stringify(choices)}`,
    plan: planOf(catalogue, { base, choices }),
  })),
);

function catalogueIn(plan: Plan): ApplianceCatalogue {
  return JSON.parse(textOf(plan, '/usr/share/devserver/catalogue.json')) as ApplianceCatalogue;
}

describe('every combination of choices on every base', () => {
  it('compiles to files of which each path is written once, rendered to the end', () => {
    for (const { what, plan } of plans) {
      const paths = plan.files.map(({ path }) => path);
      expect(new Set(paths).size, what).toBe(paths.length);
      // the catalogue carries the templates of boot/, which the appliance renders, as it does those of projects
      const later = (path: string): boolean =>
        path === '/usr/share/devserver/catalogue.json' || path.startsWith('/usr/share/devserver/templates/');
      for (const path of paths.filter((it) => !later(it))) expect(path).toMatch(/^\/[^\s]*(?<!\.hbs)$/);
      const rendered = plan.files.filter(({ kind, path }) => kind === 'file' && !later(path));
      for (const file of rendered)
        expect(textOf(plan, file.path), file.path).not.toMatch(/\{\{|\[object Object\]|\bundefined\b(?! symbol)/);
    }
  });

  it('starts only units that are there, ours or packaged', () => {
    for (const { plan } of plans) {
      const ours = new Set(plan.files.map(({ path }) => path));
      const started = catalogueIn(plan).components.flatMap(({ services, checks }) => [
        ...services,
        ...checks.flatMap(({ unit }) => unit ?? []),
      ]);
      const missing = started.filter(
        (unit) => !packagedUnits.has(unit) && !ours.has(`/usr/lib/systemd/system/${unit.replace(/@[^.]+\./, '@.')}`),
      );
      expect(missing).toEqual([]);
      for (const file of plan.files)
        if (file.kind === 'link' && file.target.startsWith('/usr/lib/systemd/system/'))
          expect(packagedUnits.has(file.path.split('/').at(-1) ?? '') || ours.has(file.target), file.path).toBe(true);
    }
  });

  it('renders every template of boot/', () => {
    for (const { plan } of plans) {
      const inside = catalogueIn(plan);
      for (const component of inside.components) {
        const secret = Object.fromEntries(Object.entries(component.secrets).map(([name]) => [name, 'Secret123']));
        for (const file of component.boot)
          expect(render(file.templateName, file.template, bootContext(inside, component, site, secret))).not.toMatch(
            /\{\{|undefined/,
          );
      }
    }
  });

  it('gives every account its own fixed number', () => {
    for (const { plan } of plans) {
      const ids = plan.layer.accounts.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toSatisfy((it: number) => it >= 700 && it <= 799);
    }
  });
});

describe('the plans of the real stacks', () => {
  it('give an account one number for ever, also between components that exclude each other', () => {
    const accounts = [...catalogue.components.values()].flatMap(({ data }) =>
      data.accounts.map(({ user, id }) => `${user}:${id}`),
    );
    expect(accounts.sort()).toEqual([
      'archiva:740',
      'build-1:771',
      'build-2:772',
      'build-3:773',
      'build-4:774',
      'build-5:775',
      'build-6:776',
      'build-7:777',
      'build-8:778',
      'devserver-audit:704',
      'devserver-ci:702',
      'devserver-facts:701',
      'devserver-front:703',
      'devserverd:700',
      'git:751',
      'hg:752',
      'hudson:730',
      'jenkins:735',
      'openldap:710',
      'trac:720',
    ]);
  });

  it('hold nothing that looks like a secret', () => {
    const looksSecret =
      /PRIVATE KEY|\$(?:6|y|argon2id?)\$|\{(?:SSHA|ARGON2)\}\S|(?:password|passwd|secret|token)["']?\s*[:=]\s*["']?[A-Za-z0-9+/]{12,}/i;
    for (const { what, plan } of plans) {
      for (const file of plan.files)
        if (file.kind === 'file') expect(textOf(plan, file.path), `${what} ${file.path}`).not.toMatch(looksSecret);
    }
  });

  it('write nothing below /srv, /run, /tmp and /home at build', () => {
    for (const { plan } of plans)
      expect(plan.files.filter(({ path }) => /^\/(?:srv|run|tmp|home|proc|sys|dev)\//.test(path))).toEqual([]);
  });
});
