import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { siteAuthorities } from './authorities.ts';

/** The project's credential, and whom it may be told: the front under this authority. */
export interface Login {
  readonly user: string;
  readonly password: string;
  /** https://HOST of the front as builds reach it. */
  readonly front: string;
  /** File with the certificate of the appliance's authority. */
  readonly authority: string;
}

const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt';

/** What a build's tools trust beside its own appliance. */
export interface Trusted {
  /** All authorities the system trusts, the site's own among them. */
  readonly all: string;
  /** The site's own alone. */
  readonly site: string;
}

/** What the system trusts; `/etc` and `/usr` are the same inside a build. */
export function systemTrusts(): Trusted {
  return { all: readFileSync(systemAuthorities, 'utf8'), site: siteAuthorities() };
}

/** Files in a build's home by which its tools log in to the project and trust the appliance, and nothing else. */
export function writeHome(home: string, login: Login, maven: string | undefined, trusted: Trusted): void {
  const front = readFileSync(login.authority, 'utf8');
  const host = new URL(login.front).host;
  const files: Record<string, string> = {
    '.gitconfig': gitConfig(login),
    '.git-credentials': `https://${login.user}:${login.password}@${host}\n`,
    '.hgrc': hgConfig(login, host),
    '.subversion/servers': `[global]\nssl-authority-files = ${login.authority}\n`,
    'authorities.crt': `${trusted.all}\n${front}`,
    'extra-authorities.crt': `${trusted.site}${front}`,
    ...(maven === undefined ? {} : { '.m2/settings.xml': mavenSettings(login, maven) }),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(home, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
}

/** The helper is asked for this address alone. */
function gitConfig({ front, authority }: Login): string {
  return `[http "${front}/"]\n\tsslCAInfo = ${authority}\n[credential "${front}"]\n\thelper = store\n[advice]\n\tdetachedHead = false\n`;
}

function hgConfig({ user, password, front, authority }: Login, host: string): string {
  const auth = `[auth]\nfront.prefix = ${front}\nfront.username = ${user}\nfront.password = ${password}\n`;
  return `${auth}[hostsecurity]\n${host}:verifycertsfile = ${authority}\n`;
}

/** Server `devserver`, read from and deployed to without a word in the project's own pom.xml. */
function mavenSettings({ user, password }: Login, url: string): string {
  return `<settings>
  <servers><server><id>devserver</id><username>${user}</username><password>${password}</password></server></servers>
  <profiles><profile>
    <id>devserver</id>
    <repositories><repository><id>devserver</id><url>${url}</url></repository></repositories>
    <properties><altDeploymentRepository>devserver::default::${url}</altDeploymentRepository></properties>
  </profile></profiles>
  <activeProfiles><activeProfile>devserver</activeProfile></activeProfiles>
</settings>
`;
}
