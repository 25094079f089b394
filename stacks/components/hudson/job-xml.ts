import { escapeXml, headOf, rotation, stepOf } from '../../../src/kernel/jobs/xml.ts';
import type { ProjectFacts } from '../../../src/kernel/project.ts';

/**
 * A job's config.xml, in the form Hudson 3 itself writes: the older form is taken when a job is made, but posted to one
 * that is there it changes nothing that is run. Plain ASCII, so that no step on the way can take a character for another.
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

/** Title, description and the way to the tracker, as HTML in ASCII: Hudson shows a description as it stands. */
export function descriptionHtml({ title, description, links }: ProjectFacts): string {
  const tracker = links.tracker?.url;
  return [
    `<strong>${escapeHtml(title)}</strong>`,
    ...(description === '' ? [] : description.split('\n').map(escapeHtml)),
    ...(tracker === undefined ? [] : [`<a href="${escapeHtml(tracker)}">${escapeHtml(tracker)}</a>`]),
  ].join('<br>');
}

function shell(name: string): string {
  return `<hudson.tasks.Shell><disabled>false</disabled><command>${escapeXml(stepOf(name))}</command></hudson.tasks.Shell>`;
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

function escapeHtml(text: string): string {
  return [...text].map((it) => (/[\x20-\x7e]/.test(it) && !/[&<>"']/.test(it) ? it : `&#${it.codePointAt(0)};`)).join('');
}
