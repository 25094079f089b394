import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { allChoices, extraStacks, planOf, realCatalogue } from '../support/real.ts';

const catalogue = realCatalogue(extraStacks);
const plans = [...allChoices().map((choices) => ({ choices })), { extra: ['hello', 'jdk-maven', 'nodejs-build'] }].map((given) =>
  planOf(catalogue, given),
);

/** Lines of files of the system disk that name the group, by path. */
function whereNamed({ files }: Plan): string[] {
  return files.flatMap((file) => {
    if (file.kind !== 'file' || file.path.startsWith('/usr/share/devserver/')) return [];
    const lines = Buffer.from(file.content).toString('utf8').split('\n');
    return lines.filter((line) => /devserver-front\b/.test(line) && !line.startsWith('#')).map((line) => `${file.path}: ${line}`);
  });
}

const units = '/usr/lib/systemd/system';

describe('the group that may open the sockets behind which the web server is believed', () => {
  it('has no member, with every combination of choices', () => {
    for (const { layer } of plans) {
      expect(layer.accounts.filter(({ user }) => user === 'devserver-front')).toMatchObject([{ id: 703, joins: [] }]);
      expect(layer.accounts.filter(({ joins }) => joins.includes('devserver-front'))).toEqual([]);
      expect(layer.accounts.filter(({ id, user }) => id === 703 && user !== 'devserver-front')).toEqual([]);
    }
  });

  it("is given to the web server's own processes alone, and asked for by those sockets alone", () => {
    for (const plan of plans) {
      const hasGit = plan.components.some(({ name }) => name === 'git');
      expect(whereNamed(plan).sort()).toEqual([
        '/etc/apache2/apache2.conf: Group devserver-front',
        ...(hasGit ? [`${units}/devserver-git-http.socket: SocketGroup=devserver-front`] : []),
        `${units}/devserverd-front.socket: SocketGroup=devserver-front`,
        // what it reads, and nothing it could write or connect to
        '/usr/lib/tmpfiles.d/devserver.conf: d /run/devserver/renamed 2750 devserverd devserver-front',
        '/usr/lib/tmpfiles.d/devserver.conf: f /run/devserver/renamed/names 0640 devserverd devserver-front',
      ]);
    }
  });

  it('is asked for by no number, and no other socket is open to everybody or to the group of the web server', () => {
    for (const { files } of plans) {
      for (const file of files) {
        if (file.kind !== 'file' || !file.path.startsWith(units)) continue;
        const text = Buffer.from(file.content).toString('utf8');
        expect(text, file.path).not.toMatch(/^(?:User|Group|SupplementaryGroups|SocketGroup|SocketUser)=.*\b703\b/m);
        expect(text, file.path).not.toMatch(/^SocketGroup=www-data$/m);
        if (!file.path.endsWith('.socket')) continue;
        expect(text, file.path).toMatch(/^SocketMode=0(?:660|600)$/m);
      }
    }
  });

  it('goes to no program of a component: those run in processes of their own, or not at all', () => {
    for (const { files } of plans) {
      for (const file of files) {
        if (file.kind !== 'file' || !/^\/etc\/devserver\/apache(?:-modules)?\.d\//.test(file.path)) continue;
        const text = Buffer.from(file.content).toString('utf8');
        for (const [daemon] of text.matchAll(/^WSGIDaemonProcess .*$/gm)) {
          const user = /\buser=(\S+)/.exec(daemon)?.[1];
          expect(daemon, file.path).toContain(` user=${user} group=${user} `);
          expect(daemon, file.path).not.toContain('supplementary-groups');
        }
        for (const [script] of text.matchAll(/^WSGIScriptAlias.*$/gm)) expect(script, file.path).toContain(' process-group=');
        if (text.includes('wsgi.load')) expect(text, file.path).toMatch(/^ {2}WSGIRestrictEmbedded On$/m);
        expect(text, file.path).not.toMatch(/^\s*(?:ScriptAlias|SetHandler (?:"?cgi)|.*ExecCGI|.*\/cgid?\.load)/m);
      }
    }
  });
});
