import { describe, expect, it } from 'vitest';
import { runList } from '../../src/commands/list.ts';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { render } from '../../src/kernel/render.ts';
import { preferencesText, sourceText } from '../../src/lock/apt-sources.ts';
import { questionsFor } from '../../src/wizard/questions.ts';
import { catalogue, planOf, textOf } from './plan-of.ts';

const unit = '/usr/lib/systemd/system/jenkins.service.d/20-devserver.conf';

describe.each(['debian-13', 'ubuntu-24.04', 'ubuntu-26.04'])('Jenkins on %s', (base) => {
  const { plan, selection } = planOf(base, 'jenkins');

  it('comes from its own flat source, for its own name alone, with a key pinned by fingerprint', () => {
    const source = plan.layer.extraSources.find(({ name }) => name === 'jenkins');
    if (source === undefined) throw new Error('no source');
    expect(source.key).toEqual({
      url: 'https://pkg.jenkins.io/debian-stable/jenkins.io-2026.key',
      fingerprint: '5E386EADB55F01504CAE8BCF7198F4B714ABFC68',
    });
    expect(sourceText(source, 'KEY')).toBe(
      'Types: deb\nURIs: https://pkg.jenkins.io/debian-stable\nSuites: binary/\nSigned-By:\n KEY\n',
    );
    expect(preferencesText(source)).toBe(
      'Package: *\nPin: origin "pkg.jenkins.io"\nPin-Priority: -1\n\nPackage: jenkins\nPin: origin "pkg.jenkins.io"\nPin-Priority: 600\n',
    );
  });

  it('brings Java 21 and fonts, and the account the package looks for', () => {
    expect(plan.layer.packages).toEqual(expect.arrayContaining(['jenkins', 'fontconfig', 'openjdk-21-jre-headless']));
    expect(plan.layer.accounts).toContainEqual({
      user: 'jenkins',
      id: 735,
      home: '/srv/ci/jenkins',
      component: 'jenkins',
      joins: ['devserver-ci'],
    });
  });

  it('takes the place of Hudson', () => {
    const names = selection.components.map(({ data }) => data.name);
    expect(names).toContain('jenkins');
    expect(names).not.toContain('hudson');
  });

  it('listens on the loopback below /jenkins, with its state on the data disk and no wizard', () => {
    const text = textOf(plan, unit);
    expect(text).toContain(
      'Environment=JENKINS_LISTEN_ADDRESS=127.0.0.1\nEnvironment=JENKINS_PORT=8083\nEnvironment=JENKINS_PREFIX=/jenkins\n',
    );
    expect(text).toContain('Environment=JENKINS_HOME=/srv/ci/jenkins\n');
    expect(text).toContain('-Djenkins.install.runSetupWizard=false');
    expect(text).toContain('Environment=JAVA_HOME=/usr/lib/jvm/java-21-openjdk-amd64\n');
  });

  it('takes heap and limit from the answers', () => {
    expect(textOf(plan, unit)).toMatch(/-Xmx512M .*\n[\s\S]*^MemoryMax=1G$/m);
    const other = planOf(base, 'jenkins', { jenkins: { heap: '2G', memoryLimit: '3G' } }).plan;
    expect(textOf(other, unit)).toMatch(/-Xmx2G .*\n[\s\S]*^MemoryMax=3G$/m);
  });

  it('starts at boot after secrets and directories', () => {
    expect(plan.files).toContainEqual({
      kind: 'link',
      path: '/etc/systemd/system/multi-user.target.wants/jenkins.service',
      target: '/usr/lib/systemd/system/jenkins.service',
    });
    expect(textOf(plan, '/usr/lib/systemd/system/jenkins.service.d/10-devserver-order.conf')).toContain(
      'Requires=devserver-boot.service',
    );
  });

  it('is open to administrators alone, and its consoles to nobody', () => {
    const blocks = textOf(plan, '/etc/apache2/devserver.conf').split('<LocationMatch "');
    const whole = blocks.find((block) => block.startsWith('^/jenkins(?:/|$)">')) ?? '';
    const required = whole.split('</LocationMatch>')[0]?.match(/Require .*/g);
    expect(required).toEqual(['Require ldap-group cn=admins,ou=groups,dc=devserver']);
    const refused = blocks.find((block) => block.startsWith('^/jenkins/+(?:cli|script|')) ?? '';
    expect(refused.split('</LocationMatch>')[0]).toContain('Require user .');
    expect(blocks.filter((block) => block.startsWith('^/jenkins/(?<PROJECT>'))).toEqual([]);
  });

  it('gets a job for each project by a driver of its own account, which alone asks Jenkins to make one', () => {
    const appliance = JSON.parse(textOf(plan, '/usr/share/devserver/catalogue.json')) as ApplianceCatalogue;
    const jenkins = appliance.components.find(({ name }) => name === 'jenkins');
    expect(jenkins?.driver).toMatchObject({ as: 'jenkins', bootstrap: true });
    expect(jenkins?.project).toMatchObject([
      { id: 'job', kind: 'driver', holds: 'data', uses: ['title', 'description', 'archived'] },
    ]);
    expect(jenkins?.state.map(({ dir, as }) => `${dir} ${as}`)).toContain('/srv/ci/jenkins/jobs/.stash jenkins');
  });

  it('keeps its secret out of the image', () => {
    expect(textOf(plan, '/etc/devserver/apache.d/50-jenkins.conf')).toContain('Include /run/devserver/jenkins/front.conf');
    expect(plan.files.filter(({ path }) => path.startsWith('/srv/') || path.startsWith('/run/'))).toEqual([]);
  });
});

describe('what Jenkins gets at each boot', () => {
  const appliance = JSON.parse(
    textOf(planOf('debian-13', 'jenkins').plan, '/usr/share/devserver/catalogue.json'),
  ) as ApplianceCatalogue;
  const jenkins = appliance.components.find(({ name }) => name === 'jenkins');
  const site = {
    url: 'https://dev.example.org:8443',
    hostname: 'dev',
    timezone: 'Etc/UTC',
    urlHost: 'dev.example.org',
    urlAuthority: 'dev.example.org:8443',
  };
  const rendered = (file: string): string => {
    const boot = jenkins?.boot.find(({ path }) => path === file);
    if (boot === undefined) throw new Error(`nothing at boot for ${file}`);
    return render(boot.templateName, boot.template, {
      component: {},
      options: jenkins?.options,
      base: {},
      roles: {},
      site,
      secret: { front: 'aB3' },
    });
  };

  it('is closed before its script has run: no realm that makes accounts, nothing for strangers', () => {
    const text = rendered('/srv/ci/jenkins/config.xml');
    expect(text).toContain('<useSecurity>true</useSecurity>');
    expect(text).toContain('<securityRealm class="hudson.security.LegacySecurityRealm"/>');
    expect(text).toContain('<denyAnonymousReadAccess>true</denyAnonymousReadAccess>');
    expect(text).not.toContain('aB3');
  });

  it('learns its address and executors from the site and the options', () => {
    const text = rendered('/srv/ci/jenkins/init.groovy.d/devserver.groovy');
    expect(text).toContain("location.url = 'https://dev.example.org:8443/jenkins/'");
    expect(text).toContain('jenkins.numExecutors = 2');
    expect(text).not.toContain('aB3');
  });

  it('shares its one password with the front in files others can not read', () => {
    expect(rendered('/run/devserver/jenkins/front.conf')).toContain(
      'Define JENKINS_FRONT aB3\nRequestHeader set Authorization "expr=Basic %{base64:devserver:${JENKINS_FRONT}}"\n',
    );
    expect(rendered('/run/devserver/jenkins/account')).toBe('aB3\n');
    const modes = new Map(jenkins?.boot.map(({ path, mode, user }) => [path, `${user} ${mode.toString(8)}`]));
    expect(modes.get('/run/devserver/jenkins/front.conf')).toBe('root 600');
    expect(modes.get('/run/devserver/jenkins/account')).toBe('jenkins 400');
  });
});

it('Jenkins is an answer of the wizard, and unproven there and in the list', () => {
  const stack = catalogue.stacks.get('default');
  if (stack === undefined) throw new Error('no default stack');
  const question = questionsFor(catalogue, stack).find(({ flag }) => flag === 'ci');
  expect(question?.choices).toContainEqual({ value: 'jenkins', label: 'Jenkins LTS - unproven' });
  let text = '';
  const output = { json: false, report: () => {}, result: (shown: string) => (text = shown) };
  runList({ catalogue: () => catalogue, output });
  expect(text).toMatch(/^ {2}jenkins .* unproven: .*digest/m);
});
