import type { Role, TestProject } from './projects.ts';
import { people } from './projects.ts';
import type { InsideResponse, Session } from './session.ts';

const archiva = 'http://127.0.0.1:8081/archiva';
const hudson = 'http://127.0.0.1:8082/hudson';

/** Makes a Maven repository and a job for each project, with the rights the members have; safe to repeat. */
export async function layOutApps(session: Session, projects: readonly TestProject[]): Promise<void> {
  for (const project of projects) {
    await layOutRepository(session, project);
    await layOutJob(session, project);
  }
}

/** The project's repository in Archiva, and exactly these managers and observers. */
export async function layOutRepository(session: Session, project: TestProject): Promise<void> {
  const { name } = project;
  const known = JSON.parse(
    await expectOk(archivaRest(session, 'GET', 'archivaServices/managedRepositoriesService/getManagedRepositories')),
  ) as { id: string }[];
  if (!known.some(({ id }) => id === name)) {
    const repository = {
      ...{
        id: name,
        name,
        layout: 'default',
        location: `/srv/maven/repositories/${name}`,
        releases: true,
        snapshots: true,
        blockRedeployments: true,
      },
      ...{
        cronExpression: '0 0 * * * ?',
        scanned: false,
        daysOlder: 0,
        retentionCount: 0,
        deleteReleasedSnapshots: false,
        stageRepoNeeded: false,
        skipPackedIndexCreation: true,
      },
    };
    await expectOk(archivaRest(session, 'POST', 'archivaServices/managedRepositoriesService/addManagedRepository', repository));
  }
  // Archiva knows no "everybody": in an internal project each person is an observer
  const readers = project.internal ? people : holders(project, ['reader']);
  await setRole(session, `Repository Manager - ${name}`, holders(project, ['admin', 'developer']));
  await setRole(session, `Repository Observer - ${name}`, readers);
}

/** Sets a role's holders; counts at once, both ways. */
export async function setRole(session: Session, role: string, wanted: readonly string[]): Promise<void> {
  const path = `redbackServices/roleManagementService/getRole/${encodeURIComponent(role)}`;
  const { users } = JSON.parse(await expectOk(archivaRest(session, 'GET', path))) as { users?: { username: string }[] | null };
  const gone = (users ?? []).map(({ username }) => username).filter((it) => !wanted.includes(it));
  const change = {
    name: role,
    users: wanted.map((username) => ({ username })),
    removedUsers: gone.map((username) => ({ username })),
  };
  await expectOk(archivaRest(session, 'POST', 'redbackServices/roleManagementService/updateRoleUsers', change));
}

/** The project's job in Hudson; whoever is in an internal project's directory group may read it. */
export async function layOutJob(session: Session, project: TestProject): Promise<void> {
  const path = `job/${project.name}/config.xml`;
  const present = (await hudsonCall(session, 'GET', path)).status === 200;
  await expectOk(hudsonCall(session, 'POST', present ? path : `createItem?name=${project.name}`, jobXml(project)));
}

/** Puts a file into a repository past the front; one that is there already stays. */
export async function archivaDeploy(session: Session, repository: string, path: string, content: string): Promise<void> {
  const url = `${archiva}/repository/${repository}/${path}`;
  const front = `archiva-front:${await session.run(['cat', '/srv/system/secrets/archiva/front'])}`;
  const headers = await authorization(session, 'archiva', front);
  const { status, body } = await session.fetch({ url, method: 'PUT', headers, body: content });
  if (![201, 204, 409].includes(status)) throw new Error(`${url} answered ${status}: ${body.slice(0, 300)}`);
}

/** A request to Archiva itself by its service account, or with another login, or (null) with none. */
export async function archivaRest(
  session: Session,
  method: string,
  path: string,
  body?: unknown,
  login?: string | null,
): Promise<InsideResponse> {
  return session.fetch({
    url: `${archiva}/restServices/${path}`,
    method,
    headers: {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      Origin: new URL(archiva).origin,
      ...(await authorization(session, 'archiva', login)),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The same to Hudson. */
export async function hudsonCall(
  session: Session,
  method: string,
  path: string,
  body?: string,
  login?: string | null,
): Promise<InsideResponse> {
  return session.fetch({
    url: `${hudson}/${path}`,
    method,
    headers: { 'Content-Type': 'application/xml', ...(await authorization(session, 'hudson', login)) },
    ...(body === undefined ? {} : { body }),
  });
}

async function authorization(
  session: Session,
  component: string,
  login: string | null | undefined,
): Promise<Record<string, string>> {
  if (login === null) return {};
  const own = login ?? `${component}-driver:${await session.run(['cat', `/srv/system/secrets/${component}/service`])}`;
  return { Authorization: `Basic ${Buffer.from(own, 'utf8').toString('base64')}` };
}

async function expectOk(answer: Promise<InsideResponse>): Promise<string> {
  const { status, body } = await answer;
  if (status >= 200 && status < 400) return body;
  throw new Error(`answered ${status}: ${body.slice(0, 500)}`);
}

function holders({ members }: TestProject, roles: readonly Role[]): string[] {
  return Object.entries(members)
    .filter(([, role]) => roles.includes(role))
    .map(([person]) => person);
}

function jobXml({ name, internal }: TestProject): string {
  const group = (role: string): string => `ROLE_${name.toUpperCase()}.${role}S`;
  const granted = [
    ...['READER', 'DEVELOPER', 'ADMIN'].map((role) => `Read:${group(role)}`),
    ...['DEVELOPER', 'ADMIN'].map((role) => `Build:${group(role)}`),
    `Workspace:${group('DEVELOPER')}`,
    ...(internal ? ['Read:authenticated'] : []),
  ];
  const permissions = granted.map((it) => `<permission>hudson.model.Item.${it}</permission>`).join('');
  const matrix = `<properties><hudson.security.AuthorizationMatrixProperty>${permissions}</hudson.security.AuthorizationMatrixProperty></properties>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<project><description>${name}</description>${matrix}<builders><hudson.tasks.Shell><command>true</command></hudson.tasks.Shell></builders></project>`;
}
