import { describe, expect, it } from 'vitest';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { whyWrong } from '../../src/kernel/catalogue/option-value.ts';
import { projectSummary } from '../../src/kernel/client/show-project.ts';
import { outsideAddress } from '../../stacks/components/archiva/outside.ts';
import { factsOf } from '../e2e/support/resources.ts';
import { planOf, realCatalogue, textOf } from '../support/real.ts';

const catalogue = realCatalogue();
const planned = (proxy?: string) => planOf(catalogue, proxy === undefined ? {} : { options: { archiva: { proxy } } });
const archivaOf = (proxy?: string) => {
  const appliance = JSON.parse(textOf(planned(proxy), '/usr/share/devserver/catalogue.json')) as ApplianceCatalogue;
  const found = appliance.components.find(({ name }) => name === 'archiva');
  if (found === undefined) throw new Error('no archiva');
  return found;
};
const unit = '/usr/lib/systemd/system/devserver-tomcat@archiva.service.d/20-instance.conf';

describe('the option proxy', () => {
  it('passes on nothing unless it is asked to', () => {
    expect(archivaOf().options.proxy).toBe('none');
    expect(outsideAddress(archivaOf().options.proxy)).toBeUndefined();
    expect(archivaOf().exports.mirror).toBe('');
    expect(textOf(planned(), unit)).not.toContain('IPAddress');
  });

  it('is the address of what is passed on', () => {
    const mirror = 'https://mirror.example.org:8081/all/maven-central';
    expect([outsideAddress(mirror), outsideAddress(`${mirror}/`)]).toEqual([mirror, mirror]);
    expect(archivaOf(mirror).exports.mirror).toBe('{site}/archiva/repository/central');
    expect(textOf(planned(mirror), unit)).toMatch(/^IPAddressDeny=$[\s\S]*^Environment=CATALINA_TMPDIR=\/srv\//m);
  });

  it.each([
    '',
    'off',
    'central',
    'ftp://x/y',
    'https://',
    'https://u:p@x/y',
    'https://x/y?z',
    'https://x/ y',
    'https://x/"',
    'http://x\n',
  ])('is refused as %j', (proxy) => {
    const option = catalogue.components.get('archiva')?.data.options.proxy;
    if (option === undefined) throw new Error('no such option');
    expect(whyWrong(option, proxy)).toContain('does not match');
  });

  it('keeps the name it is served under from every project', () => {
    expect(archivaOf().reserved).toContain('central');
  });
});

describe('what newproject says of settings.xml', () => {
  const url = 'https://dev/archiva/repository/shop';
  const summary = (maven: Record<string, string>): string =>
    projectSummary({ job: 'j', project: factsOf('shop', { links: { maven } }) }, 1);

  it('has a mirror of Maven Central, with its login, when there is one', () => {
    const text = summary({ url, mirror: 'https://dev/archiva/repository/central' });
    expect(text).toContain(
      '<mirror><id>devserver-central</id><mirrorOf>central</mirrorOf><url>https://dev/archiva/repository/central/</url></mirror>',
    );
    expect(text).toMatch(/<server><id>shop<\/id>[\s\S]*<server><id>devserver-central<\/id><username>/);
  });

  it('has none otherwise', () => {
    for (const maven of [{ url }, { url, mirror: '' }]) {
      expect(summary(maven)).not.toContain('mirror');
      expect(summary(maven)).toContain('  <servers><server><id>shop</id>');
    }
  });
});
