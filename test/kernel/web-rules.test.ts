import { describe, expect, it } from 'vitest';
import { select } from '../../src/plan/select.ts';
import { answersWith, type ComponentFixture, catalogueOf, faultsOf } from '../support/stacks.ts';

const sentences = (work: () => unknown): string[] => faultsOf(work).map((line) => line.replace(/^[^ ]+ /, ''));
const web = (...paths: string[]) => ({ web: paths.map((at) => ({ at, access: {} })) });

function told(components: Record<string, ComponentFixture>): string[] {
  const catalogue = catalogueOf({ components });
  return sentences(() => select(catalogue, answersWith()));
}

/** Faults of one web entry, at loading. */
function entry(data: Record<string, unknown>): string[] {
  return sentences(() => catalogueOf({ components: { a: { web: [data] } } }));
}

describe('web paths', () => {
  it('of two components are neither the same nor one below the other', () => {
    expect(told({ a: web('/x'), b: web('/x') })).toEqual(['web path /x is already served by a']);
    expect(told({ a: web('/x'), b: web('/x/y/{project}') })).toEqual(['web path /x/y/{project} overlaps with /x of a']);
    expect(told({ a: web('/x/{project}.git'), b: web('/x/{project}') })).toEqual([
      'web path /x/{project} overlaps with /x/{project}.git of a',
    ]);
    expect(told({ a: web('/xy'), b: web('/x') })).toEqual([]);
  });

  it('of one component may lie in each other, and all lie below the front page', () => {
    expect(told({ a: web('/x', '/x/{project}'), b: web('/') })).toEqual([]);
  });

  it("are none of the appliance's own pages", () => {
    expect(told({ a: web('/password') })).toEqual(["web path /password is one of the appliance's own pages"]);
  });

  it('hold nothing but plain words and a project at their end', () => {
    for (const at of [
      'x',
      '/../x',
      '/x/',
      '//x',
      '/{project}/x',
      '/x.*',
      '/X',
      '/x/{project}/y',
      '/x{project}',
      '/x/{project}.git"',
    ]) {
      expect(entry({ at, access: {} })).toEqual(['web.0.at: must be / or a path such as /git/{project}.git']);
    }
  });
});

describe('an access table', () => {
  it('that takes every write for a read is refused', () => {
    expect(entry({ at: '/x/{project}', access: { write: ['developer'] } })).toEqual([
      'web.0.access.write: without reads: every request counts as a read and this would say nothing',
    ]);
    expect(entry({ at: '/x/{project}', access: {}, reads: {} })).toEqual([
      'web.0.reads: names neither methods nor requests, so every write would count as a read',
    ]);
    expect(entry({ at: '/x/{project}', access: {}, writeMethods: ['PUT'] })).toEqual([
      'web.0.writeMethods: without reads: no request counts as a write',
    ]);
  });

  it('that names roles needs a project in its path', () => {
    expect(entry({ at: '/x', access: { read: ['any-user', 'reader'], readInternal: ['any-user'] } })).toEqual([
      'web.0.access.read.1: reader is a role in a project, so the path has to hold {project}',
      'web.0.access.readInternal: only a project can be internal, so the path has to hold {project}',
    ]);
    expect(entry({ at: '/x', access: { write: ['any-user'] }, reads: { methods: ['GET'] } })).toEqual([
      'web.0.access: there is no project here that could be archived: say writeArchived: true, or nobody can write',
    ]);
  });

  it('where nobody writes says what reads, and not who writes', () => {
    const access = { read: ['any-user'] };
    expect(entry({ at: '/x', access, reads: { methods: ['GET'] }, readOnly: true })).toEqual([]);
    expect(entry({ at: '/x', access, readOnly: true })).toEqual([
      'web.0.readOnly: without reads: every request counts as a read and this would say nothing',
    ]);
    expect(
      entry({
        at: '/x/{project}',
        access: { ...access, write: ['developer'] },
        reads: { methods: ['GET'] },
        readOnly: true,
      }),
    ).toEqual(['web.0.readOnly: although something here says who or what writes']);
  });

  it('names roles there are, and patterns that cannot leave their quotes', () => {
    expect(entry({ at: '/x/{project}', access: { read: ['readers'] } })[0]).toMatch(
      /^web\.0\.access\.read\.0: .*\(did you mean reader\?\)$/,
    );
    for (const pattern of ['a"b', 'a#b', 'a b', 'a\nb', '(']) {
      expect(entry({ at: '/x', access: {}, refuse: [pattern] })).toEqual([
        'web.0.refuse.0: must be a regular expression without ", # and blanks',
      ]);
    }
    expect(entry({ at: '/x/{project}', access: {}, reads: { requests: [{ path: 'x', query: "a'b" }] } })).toHaveLength(1);
  });
});
