import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProjectFacts } from '../../../../src/kernel/project.ts';
import type { Command } from '../../../../src/kernel/system.ts';
import { checkoutCommand } from '../checkout.ts';
import { type Login, systemTrusts, writeHome } from '../home.ts';
import type { BuildRequest } from '../request.ts';

const home = '/build/home';
const work = '/build/work';

/** A build from inside its sandbox: checkout, then the template's commands, until one fails. */
async function main(): Promise<number> {
  const facts = JSON.parse(credential('facts')) as ProjectFacts;
  const request = JSON.parse(credential('request')) as BuildRequest;
  const site = JSON.parse(credential('site')) as { readonly hostname: string; readonly url: string };
  say(`build ${request.number} of ${facts.name}`);
  if (facts.build === null) {
    say(`the template ${facts.template} builds nothing`);
    return 0;
  }
  mkdirSync(home, { mode: 0o700 });
  // the address of the site may mean something else here; the host's name always means the front
  const front = `https://${site.hostname}`;
  const here = (link: string | undefined): string | undefined => link?.replace(site.url, front);
  const login: Login = {
    user: `${facts.name}.builder`,
    password: credential('login').trim(),
    front,
    authority: path.join(home, 'authority.crt'),
  };
  copyFileSync(path.join(credentials, 'authority'), login.authority);
  const maven = here(facts.links.maven?.url);
  writeHome(home, login, maven, systemTrusts());
  const env = { ...environment(request, maven), ...(await javaTrust(login.authority)) };
  const url = here(facts.links.vcs?.url);
  if (url === undefined) throw new Error('this project has no repository');
  const commands = [
    checkoutCommand(facts, url, work, login),
    ...facts.build.map(([file = '', ...args]) => ({ file, args, cwd: work })),
  ];
  for (const command of commands) {
    say(`$ ${[command.file, ...command.args].join(' ')}`);
    const code = await run(command, env);
    if (code !== 0) return code;
  }
  return 0;
}

const credentials = process.env.CREDENTIALS_DIRECTORY ?? '';

function credential(name: string): string {
  return readFileSync(path.join(credentials, name), 'utf8');
}

/** All a build's commands get to know. */
function environment({ project, number, url }: BuildRequest, maven: string | undefined): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    CI: 'true',
    PROJECT: project,
    BUILD_NUMBER: number,
    BUILD_URL: url,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    SSL_CERT_FILE: path.join(home, 'authorities.crt'),
    // Node.js brings the public ones itself
    NODE_EXTRA_CA_CERTS: path.join(home, 'extra-authorities.crt'),
    ...(maven === undefined ? {} : { MAVEN_REPOSITORY: maven }),
  };
}

/** Java keeps its own list of authorities, the site's own among them, and looks up the home of the account: both told, where there is a JDK. */
async function javaTrust(authority: string): Promise<Record<string, string>> {
  const [keytool, system] = ['/usr/bin/keytool', '/etc/ssl/certs/java/cacerts'];
  if (![keytool, system, '/usr/bin/javac'].every(existsSync)) return {};
  const store = path.join(home, 'cacerts');
  writeFileSync(store, readFileSync(system), { mode: 0o600 });
  const args = ['-importcert', '-noprompt', '-alias', 'devserver', '-file', authority, '-keystore', store];
  // the store's password is the one every Java has; it protects nothing
  const code = await run({ file: keytool, args: [...args, '-storepass', 'changeit'] }, { PATH: '/usr/bin', HOME: home });
  return code === 0 ? { MAVEN_OPTS: `-Duser.home=${home} -Djavax.net.ssl.trustStore=${store}` } : {};
}

/** Runs a command with the build's own output; its exit code, 127 when there is no such program. */
function run({ file, args, cwd, input }: Command, env: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: cwd ?? '/build',
      env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    });
    child.stdin?.end(input);
    child.on('error', (error) => {
      say(`${file}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      if (signal !== null) say(`${file} was ended by ${signal}`);
      resolve(code ?? 128);
    });
  });
}

function say(text: string): void {
  process.stdout.write(`[devserver] ${text}\n`);
}

// ended from here and not by an empty list of tasks: what a command left behind is none of our business
process.exit(await main());
