/** A project as the API shows it. */
export interface ShownProject {
  readonly name: string;
  readonly formerly?: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly vcs: string;
  readonly visibility: string;
  readonly archived: boolean;
  readonly template: string;
  readonly members: Readonly<Record<string, string>>;
  readonly created: string;
  readonly by: string;
  readonly links: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The end of a job about a project. */
export interface ProjectAnswer extends Record<string, unknown> {
  readonly job: string;
  readonly project?: ShownProject;
}

/** The addresses of a project, a line each. */
export function linkLines({ links }: ShownProject): string[] {
  const label: Readonly<Record<string, string>> = { vcs: 'repository', tracker: 'tracker', ci: 'builds', maven: 'maven' };
  return Object.entries(links).flatMap(([role, { url }]) =>
    url === undefined ? [] : [`  ${(label[role] ?? role).padEnd(11)} ${url}`],
  );
}

/** What `newproject` ends with: addresses, how to get the sources, and what Maven needs to know. */
export function projectSummary({ project, job }: ProjectAnswer, seconds: number): string {
  if (project === undefined) return `done in ${seconds.toFixed(1)} s (job ${job})`;
  const clone = project.links.vcs?.clone;
  return [
    `${project.name} is ready, after ${seconds.toFixed(1)} s`,
    ...linkLines(project),
    ...(clone === undefined ? [] : ['', `  ${clone}`]),
    ...mavenLines(project),
  ].join('\n');
}

/** Snippets for pom.xml and settings.xml; names hold no character that XML would take for its own. */
function mavenLines({ name, links }: ShownProject): string[] {
  const url = links.maven?.url;
  if (url === undefined) return [];
  const repository = (tag: string): string => `    <${tag}><id>${name}</id><url>${url}/</url></${tag}>`;
  return [
    '',
    'pom.xml:',
    '  <distributionManagement>',
    repository('repository'),
    repository('snapshotRepository'),
    '  </distributionManagement>',
    '~/.m2/settings.xml:',
    ...settingsLines(name, links.maven?.mirror ?? ''),
  ];
}

/** Logins, and what stands for Maven Central, if anything does: a mirror takes the place of nothing but that. */
function settingsLines(name: string, mirror: string): string[] {
  const login = '<username>YOUR LOGIN</username><password>YOUR PASSWORD</password>';
  const server = (id: string): string => `<server><id>${id}</id>${login}</server>`;
  if (mirror === '') return [`  <servers>${server(name)}</servers>`];
  return [
    '  <servers>',
    `    ${server(name)}`,
    `    ${server('devserver-central')}`,
    '  </servers>',
    '  <mirrors>',
    `    <mirror><id>devserver-central</id><mirrorOf>central</mirrorOf><url>${mirror}/</url></mirror>`,
    '  </mirrors>',
  ];
}

/** One project for people. */
export function projectText(project: ShownProject): string {
  const { name, formerly = [], title, description, vcs, visibility, archived, template, members, created, by } = project;
  const people = Object.entries(members).map(([user, role]) => `${user} (${role})`);
  return [
    `${name}: ${title}`,
    ...(description === '' ? [] : [description]),
    `  ${vcs}, ${visibility}${archived ? ', archived' : ''}, from template ${template}, made ${created.slice(0, 10)} by ${by}`,
    `  members     ${people.length === 0 ? 'nobody' : people.join(', ')}`,
    ...(formerly.length === 0 ? [] : [`  before      ${formerly.join(', ')}`]),
    ...linkLines(project),
  ].join('\n');
}
