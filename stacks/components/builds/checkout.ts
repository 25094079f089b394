import type { ProjectFacts } from '../../../src/kernel/project.ts';
import type { Command } from '../../../src/kernel/system.ts';
import type { Login } from './home.ts';

/** The command that checks a project out into `folder`; the password comes from files of the home, or from `input`. */
export function checkoutCommand(facts: ProjectFacts, url: string, folder: string, login: Login): Command {
  switch (facts.vcs) {
    case 'git':
      return { file: 'git', args: ['clone', '--quiet', '--branch', facts.branch, '--', url, folder] };
    case 'hg':
      return { file: 'hg', args: ['clone', '--noninteractive', '--quiet', '--', url, folder] };
    case 'svn': {
      const trust = ['--config-option', `servers:global:ssl-authority-files=${login.authority}`];
      const as = ['--username', login.user, '--password-from-stdin', '--no-auth-cache', '--non-interactive'];
      return { file: 'svn', args: ['checkout', '--quiet', ...as, ...trust, `${url}/trunk`, folder], input: login.password };
    }
    default:
      throw new Error(`nobody knows how to check out from ${facts.vcs}`);
  }
}
