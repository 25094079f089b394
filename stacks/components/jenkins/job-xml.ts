import { escapeXml, headOf, rotation, stepOf } from '../../../src/kernel/jobs/xml.ts';
import type { ProjectFacts } from '../../../src/kernel/project.ts';

/**
 * A job's config.xml of what Jenkins' core has without plugins: a freestyle project with one shell step. Nothing in it says
 * who may: the core tells no rights apart, and the front lets administrators in alone.
 */
export function jobXml(project: ProjectFacts, job: string): string {
  const { name, archived } = project;
  return `${headOf(job)}
<project>
  <description>${escapeXml(descriptionText(project))}</description>
  <keepDependencies>false</keepDependencies>
  <properties>
    <jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator">${rotation}</strategy></jenkins.model.BuildDiscarderProperty>
  </properties>
  <scm class="hudson.scm.NullSCM"/>
  <quietPeriod>0</quietPeriod>
  <canRoam>true</canRoam>
  <disabled>${archived}</disabled>
  <blockBuildWhenDownstreamBuilding>false</blockBuildWhenDownstreamBuilding>
  <blockBuildWhenUpstreamBuilding>false</blockBuildWhenUpstreamBuilding>
  <triggers/>
  <concurrentBuild>false</concurrentBuild>
  <builders>
    <hudson.tasks.Shell><command>${escapeXml(stepOf(name))}</command></hudson.tasks.Shell>
  </builders>
  <publishers/>
  <buildWrappers/>
</project>
`;
}

/** Title, description and the way to the tracker; Jenkins shows a description as plain text unless it is told otherwise. */
export function descriptionText({ title, description, links }: ProjectFacts): string {
  return [title, description, links.tracker?.url ?? ''].filter((it) => it !== '').join('\n');
}
