import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appliancePaths } from '../../../src/kernel/appliance.ts';
import type { Session } from './session.ts';

/** A Maven repository that stands for the world outside: a web server of the test's own, under a firm's authority. */
export interface Outside {
  /** Without a slash behind; what the option `proxy` gets. */
  readonly url: string;
  /** Certificate of the authority that nobody knows yet. */
  readonly authority: string;
  /** Puts a file there, with the checksum a repository shows beside it, or with another one. */
  readonly offer: (file: string, content: string, sha1?: string) => Promise<void>;
  /** Paths that were asked for since the last time, without those of checksums. */
  readonly asked: () => Promise<string[]>;
  readonly close: () => Promise<void>;
}

const folder = '/run/outside';
const port = 8993;

/** Starts it inside the appliance, on its loopback: nothing there asks another address. */
export async function openOutside(session: Session): Promise<Outside> {
  const { authority, key, certificate } = madeServerCertificate();
  await session.run(['mkdir', '-p', `${folder}/files`]);
  const put = (file: string, text: string): Promise<string> =>
    session.run(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat >"$1"', 'sh', path.posix.join(folder, file)], text);
  await put('key', key);
  await put('crt', certificate);
  await put('asked', '');
  await put('serve.mjs', program);
  await session.run(['systemd-run', '--quiet', '--collect', '--unit=outside-of-the-test', 'node', `${folder}/serve.mjs`]);
  for (let attempt = 0; (await session.tryRun(['test', '-e', `${folder}/listens`])).exitCode !== 0; attempt += 1) {
    if (attempt > 1000) throw new Error('the outside does not listen');
    await sleep(100);
  }
  return {
    url: `https://localhost:${port}/maven2`,
    authority,
    offer: async (file, content, sha1 = createHash('sha1').update(content).digest('hex')) => {
      await put(`files/maven2/${file}`, content);
      await put(`files/maven2/${file}.sha1`, sha1);
    },
    asked: async () => {
      const paths = (await session.run(['sh', '-c', `cat ${folder}/asked; : >${folder}/asked`])).split('\n');
      return paths.filter((it) => it !== '' && !/\.(?:sha1|md5)$/.test(it)).map((it) => it.replace('/maven2/', ''));
    },
    close: async () => {
      await session.tryRun(['systemctl', 'stop', 'outside-of-the-test.service']);
      await session.run(['rm', '-rf', folder]);
    },
  };
}

/** What the next system disk would say: another value of Archiva's option, and its driver starts from there. */
export async function bootstrapWith(session: Session, proxy: string): Promise<void> {
  const program = `
    const fs = require('node:fs');
    const catalogue = JSON.parse(fs.readFileSync('${appliancePaths.catalogue}', 'utf8'));
    catalogue.components.find(({ name }) => name === 'archiva').options.proxy = process.argv[1];
    fs.writeFileSync('${appliancePaths.catalogue}', JSON.stringify(catalogue));
  `;
  await session.run(['node', '-e', program, proxy]);
  await session.driver('archiva', 'bootstrap', {});
}

const program = `
  import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
  import { createServer } from 'node:https';
  const tls = { key: readFileSync('${folder}/key'), cert: readFileSync('${folder}/crt') };
  createServer(tls, ({ url }, response) => {
    appendFileSync('${folder}/asked', url + '\\n');
    try {
      const file = '${folder}/files' + url;
      const content = readFileSync(file);
      const headers = { 'content-length': content.length, 'last-modified': statSync(file).mtime.toUTCString() };
      response.writeHead(200, headers).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(${port}, '127.0.0.1', () => writeFileSync('${folder}/listens', ''));
`;

/** A certificate for localhost and the authority that signed it. */
function madeServerCertificate(): { authority: string; key: string; certificate: string } {
  const made = mkdtempSync(path.join(tmpdir(), 'outside-'));
  const at = (name: string): string => path.join(made, name);
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  try {
    writeFileSync(at('san'), 'subjectAltName=DNS:localhost\n');
    openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '90', '-subj', '/CN=Firm outside');
    openssl('req', ...newKey, '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=localhost');
    const signer = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '90', '-extfile', at('san')];
    openssl('x509', '-req', '-in', at('csr'), '-out', at('crt'), ...signer);
    const text = (name: string): string => readFileSync(at(name), 'utf8');
    return { authority: text('ca.crt'), key: text('key'), certificate: text('crt') };
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
