import { describe, expect, it } from 'vitest';
import { select } from '../../src/plan/select.ts';
import { answersWith, type ComponentFixture, catalogueOf, faultsOf } from '../support/stacks.ts';

/** Sentences of the faults, each behind the component it stands in. */
function told(components: Record<string, ComponentFixture>): string[] {
  const catalogue = catalogueOf({ components });
  return faultsOf(() => select(catalogue, answersWith())).map((line) =>
    line.replace(/^components\/([a-z]+)\/component\.yaml:\d+:\d+: /, '$1: '),
  );
}

describe('the rules over a stack', () => {
  it('tell a need nobody meets, and which role was meant', () => {
    expect(told({ a: { provides: ['web'] }, b: { needs: ['wep', 'tracker'] } })).toEqual([
      'b: nothing in the stack provides wep (did you mean web?)',
      'b: nothing in the stack provides tracker',
    ]);
  });

  it('take any kind for a role with kinds', () => {
    expect(told({ a: { provides: ['vcs:git'] }, b: { needs: ['vcs'] } })).toEqual([]);
  });

  it('tell two providers of one role', () => {
    expect(told({ a: { provides: ['ci'] }, b: { provides: ['ci'] } })).toEqual(['b: ci is already provided by a']);
  });

  it('tell every circle of needs once', () => {
    const circle = (name: string, need: string) => ({ provides: [name], needs: [need] });
    expect(
      told({
        a: circle('ra', 'rb'),
        b: circle('rb', 'rc'),
        c: circle('rc', 'ra'),
        d: circle('rd', 're'),
        e: circle('re', 'rd'),
        f: circle('rf', 'rf'),
      }),
    ).toEqual([
      'a: needs and wants run in a circle: a -> b -> c -> a',
      'd: needs and wants run in a circle: d -> e -> d',
      'f: needs and wants run in a circle: f -> f',
    ]);
  });

  it('tell a circle that wants close', () => {
    const a = { provides: ['ra'], needs: ['rb'] };
    expect(told({ a, b: { provides: ['rb'], wants: ['ra'] } })).toEqual(['a: needs and wants run in a circle: a -> b -> a']);
  });

  it('tell a circle behind another one', () => {
    const components = {
      a: { provides: ['ra'], needs: ['rb', 'rc'] },
      b: { provides: ['rb'], needs: ['rd'] },
      c: { provides: ['rc'], needs: ['ra'] },
      d: { provides: ['rd'], needs: ['rb'] },
    };
    expect(told(components)).toEqual([
      'a: needs and wants run in a circle: a -> c -> a',
      'b: needs and wants run in a circle: b -> d -> b',
    ]);
  });

  it('tell one port, account and account number given to two', () => {
    const a = { ports: [{ tcp: 80 }, { tcp: 'random' }], accounts: [{ user: 'one', id: 790 }] };
    expect(told({ a, b: { ports: [{ tcp: 'random' }, { tcp: 80 }], accounts: [{ user: 'one', id: 791 }] } })).toEqual([
      'b: port 80 is already taken by a',
      'b: account one is already made by a',
    ]);
    expect(told({ a, b: { accounts: [{ user: 'two', id: 790 }] } })).toEqual(['b: account number 790 is already used by a']);
    for (const user of ['root', 'nobody', 'messagebus', 'sudo', 'systemd-network'])
      expect(told({ a: { accounts: [{ user, id: 790 }] } })).toEqual([`a: account ${user} is the system's own`]);
  });

  it('refuse an account number outside 700 to 799 when loading', () => {
    const load = () => catalogueOf({ components: { a: { accounts: [{ user: 'one', id: 1000 }] } } });
    expect(faultsOf(load)[0]).toMatch(/^components\/a\/component\.yaml:\d+:\d+: accounts\.0\.id: /);
  });

  it('tell an account nobody makes, wherever it is named', () => {
    const a = {
      accounts: [{ user: 'hello', id: 790 }],
      state: [{ dir: '/srv/a', as: 'helo', group: 'grp', mode: '0700' }],
      secrets: { key: { group: 'hallo' } },
    };
    expect(told({ a })).toEqual([
      'a: there is no account helo in this stack (did you mean hello?)',
      'a: there is no account grp in this stack',
      'a: there is no account hallo in this stack (did you mean hello?)',
    ]);
  });

  it('tell state that would not survive, is claimed twice or lies in reach of another account', () => {
    const accounts = [
      { user: 'one', id: 790 },
      { user: 'two', id: 791 },
    ];
    const dir = (at: string, as: string) => ({ dir: at, as, mode: '0700' });
    expect(
      told({
        a: { accounts, state: [dir('/var/lib/a', 'one'), dir('/srv/../etc', 'one'), dir('/srv/a', 'one')] },
        b: { state: [dir('/srv/a', 'two'), dir('/srv/a/b', 'two')] },
      }),
    ).toEqual([
      'b: directory /srv/a already belongs to a',
      'a: /var/lib/a is not below /srv, so it would not survive an upgrade',
      'a: /srv/../etc is not below /srv, so it would not survive an upgrade',
      'b: /srv/a/b is below /srv/a, which one can write',
    ]);
  });

  it('tell a certificate without its authority', () => {
    expect(told({ a: { secrets: { ca: { form: 'x509-ca' }, tls: { form: 'x509', issuer: 'cb' } } } })).toEqual([
      'a: cb is no x509-ca secret of this component (did you mean ca?)',
    ]);
  });

  it('tell the faults of all rules at once', () => {
    const both = {
      ports: [{ tcp: 80 }],
      provides: ['web'],
      web: [{ at: '/x', access: {} }],
      needs: ['nothing'],
      state: [{ dir: '/x', as: 'nobody', mode: '0700' }],
    };
    expect(told({ a: both, b: both })).toHaveLength(10);
  });
});
