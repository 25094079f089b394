import type { ProjectFacts } from '../../../src/kernel/project.ts';

/** Where the project is kept in Hudson's words: how many builds stay. */
const buildsToKeep = 50;

/**
 * A job's config.xml, in the form Hudson 3 itself writes: the older form is taken when a job is made, but posted to one
 * that is there it changes nothing that is run. Plain ASCII, so that no step on the way can take a character for another.
 * The comment says which job of ours made it; Hudson drops it when a person saves the job.
 */
export function jobXml(project: ProjectFacts, job: string): string {
  const { name, archived } = project;
  return `${headOf(job)}
<project>
  <description>${escapeXml(descriptionHtml(project))}</description>
  <project-properties class="concurrent-hash-map">
    ${property('builders', 'describable-list-property', 'hudson.util.DescribableList', shell(name))}
    ${property('quietPeriod', 'integer-property', 'int', '0')}
    ${property('logRotator', 'log-rotator-property', 'hudson.tasks.LogRotator', rotation)}
  </project-properties>
  <keepDependencies>false</keepDependencies>
  <properties>
    <hudson.security.AuthorizationMatrixProperty>${permissions(project).join('')}</hudson.security.AuthorizationMatrixProperty>
  </properties>
  <scm class="hudson.scm.NullSCM"/>
  <canRoam>true</canRoam>
  <disabled>${archived}</disabled>
  <blockBuildWhenDownstreamBuilding>false</blockBuildWhenDownstreamBuilding>
  <blockBuildWhenUpstreamBuilding>false</blockBuildWhenUpstreamBuilding>
  <concurrentBuild>false</concurrentBuild>
  <cleanWorkspaceRequired>false</cleanWorkspaceRequired>
</project>
`;
}

/** How a config.xml of ours begins; a file cut short begins like that as well. */
export function headOf(job: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- devserver-job ${job} -->`;
}

/** Whether two config.xml, ours or as Hudson wrote it, let the same people do the same. */
export function sameRights(a: string, b: string): boolean {
  return rightsIn(a) === rightsIn(b);
}

/** In which way a config.xml, ours or as Hudson wrote it, makes another job than `wanted`; words alone do not count. */
export function workDifference(present: string, wanted: string): string | undefined {
  if (classesIn(present) !== classesIn(wanted) || textsIn(present, 'command') !== textsIn(wanted, 'command'))
    return 'it does not build as the appliance does';
  const granted = (xml: string): string => textsIn(xml, 'permission', true);
  if (granted(present) !== granted(wanted)) return 'its rights are not those of the project';
  if (!sameRights(present, wanted)) return 'it is disabled or enabled against the project';
  return undefined;
}

/** The same for words too. */
export function jobDifference(present: string, wanted: string): string | undefined {
  const words = textsIn(present, 'description') === textsIn(wanted, 'description') ? undefined : 'its description is another';
  return workDifference(present, wanted) ?? words;
}

/** Title, description and the way to the tracker, as HTML in ASCII: Hudson shows a description as it stands. */
export function descriptionHtml({ title, description, links }: ProjectFacts): string {
  const tracker = links.tracker?.url;
  return [
    `<strong>${escapeHtml(title)}</strong>`,
    ...(description === '' ? [] : description.split('\n').map(escapeHtml)),
    ...(tracker === undefined ? [] : [`<a href="${escapeHtml(tracker)}">${escapeHtml(tracker)}</a>`]),
  ].join('<br>');
}

const rotation =
  `<daysToKeep>-1</daysToKeep><numToKeep>${buildsToKeep}</numToKeep>` +
  '<artifactDaysToKeep>-1</artifactDaysToKeep><artifactNumToKeep>-1</artifactNumToKeep>';

/** The first line keeps Hudson from running it with -x, which would show the command in each log. */
function shell(name: string): string {
  const command = `#!/bin/sh\nexec /usr/lib/devserver/request-build ${name}\n`;
  return `<hudson.tasks.Shell><disabled>false</disabled><command>${escapeXml(command)}</command></hudson.tasks.Shell>`;
}

/** Hudson's LDAP groups are ROLE_ and the name in capitals. */
function permissions({ name, visibility, archived }: ProjectFacts): string[] {
  const group = (role: string): string => `ROLE_${name.toUpperCase()}.${role}S`;
  return [
    ...['READER', 'DEVELOPER', 'ADMIN'].map((role) => `Read:${group(role)}`),
    ...(visibility === 'internal' ? ['Read:authenticated'] : []),
    ...(archived ? [] : ['DEVELOPER', 'ADMIN'].map((role) => `Build:${group(role)}`)),
    ...['DEVELOPER', 'ADMIN'].map((role) => `Workspace:${group(role)}`),
  ].map((it) => `<permission>hudson.model.Item.${it}</permission>`);
}

function property(name: string, kind: string, type: string, value: string): string {
  const original = `<originalValue class="${type}">${value}</originalValue><propertyOverridden>false</propertyOverridden>`;
  return `<entry><string>${name}</string><${kind}>${original}</${kind}></entry>`;
}

function rightsIn(xml: string): string {
  const found = [...xml.matchAll(/<(permission|disabled)>([^<]*)<\/\1>/g)];
  // the step of the build says "disabled" too, and always the same
  return found
    .map(([, tag, value]) => `${tag} ${value}`)
    .sort()
    .join('\n');
}

/** Steps, publishers and the like: elements named after the class that reads them. */
function classesIn(xml: string): string {
  return [...xml.matchAll(/<([a-z]\w*(?:\.\w+)*\.[A-Z]\w*)[\s/>]/g)]
    .map(([, name]) => name)
    .sort()
    .join('\n');
}

/** The texts of all elements of a name, in order or sorted. */
function textsIn(xml: string, tag: string, sorted = false): string {
  const found = [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, text = '']) => unescapeXml(text).trim());
  return (sorted ? found.sort() : found).join('\0');
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(?:(lt|gt|quot|apos|amp)|#x([0-9a-f]{1,6})|#([0-9]{1,7}));/gi, (whole, name, hex, decimal) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function escapeHtml(text: string): string {
  return [...text].map((it) => (/[\x20-\x7e]/.test(it) && !/[&<>"']/.test(it) ? it : `&#${it.codePointAt(0)};`)).join('');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
