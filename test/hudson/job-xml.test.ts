import { describe, expect, it } from 'vitest';
import { headOf, jobDifference, sameRights, workDifference } from '../../src/kernel/jobs/xml.ts';
import { descriptionHtml, jobXml } from '../../stacks/components/hudson/job-xml.ts';
import { factsOf } from '../e2e/support/resources.ts';

describe('a job of Hudson as XML', () => {
  const title = 'Ü 日本 😀 <b>&amp;</b> "\' ]]> --> ${x}';

  it('is plain ASCII, whatever the title says', () => {
    const xml = jobXml(factsOf('shop', { title, description: 'a\nb\t<i>' }), 'job-12345');
    expect(xml).toMatch(/^[\n -~]*$/);
    expect(xml.startsWith(headOf('job-12345'))).toBe(true);
    expect(xml).not.toContain('<b>');
  });

  it('shows the title as it is, once Hudson and a browser have read it', () => {
    const html = descriptionHtml(factsOf('shop', { title }));
    const read = html.replace(/&#(\d+);/g, (_all, code: string) => String.fromCodePoint(Number(code)));
    expect(read).toBe(`<strong>${title}</strong>`);
  });

  it('grants reading to members, to every login when internal, and building to nobody once archived', () => {
    const granted = (changes: object): string[] =>
      [...jobXml(factsOf('shop', changes), 'job-12345').matchAll(/Item\.(\w+):([\w.]+)/g)].map(
        ([, what, who]) => `${what} ${who}`,
      );
    const reading = ['Read ROLE_SHOP.READERS', 'Read ROLE_SHOP.DEVELOPERS', 'Read ROLE_SHOP.ADMINS'];
    expect(granted({}).slice(0, 3)).toEqual(reading);
    expect(granted({})).not.toContain('Read authenticated');
    expect(granted({ visibility: 'internal' })).toContain('Read authenticated');
    expect(granted({})).toContain('Build ROLE_SHOP.DEVELOPERS');
    expect(granted({})).not.toContain('Build ROLE_SHOP.READERS');
    expect(granted({ archived: true }).filter((it) => it.startsWith('Build'))).toEqual([]);
  });

  it('tells a change of words from a change of rights', () => {
    const xml = (changes: object): string => jobXml(factsOf('shop', changes), 'job-12345');
    expect(sameRights(xml({}), xml({ title: 'other', description: 'words' }))).toBe(true);
    expect(sameRights(xml({}), xml({ visibility: 'internal' }))).toBe(false);
    expect(sameRights(xml({}), xml({ archived: true }))).toBe(false);
  });

  describe('told from what it should be', () => {
    const wanted = jobXml(factsOf('shop', { title }), 'job-12345');
    /** As Hudson writes a job it has saved: no comment, other quotes, other entities. */
    const saved = wanted
      .replace(/<\?xml.*\?>\n<!--.*-->/, "<?xml version='1.0' encoding='UTF-8'?>")
      .replace('#!/bin/sh\n', '#!/bin/sh&#xa;')
      .replaceAll('&quot;', '&#34;');

    it('is as it should be, whichever job of ours wrote it, and as Hudson writes it itself', () => {
      expect(jobDifference(wanted, wanted)).toBeUndefined();
      expect(jobDifference(jobXml(factsOf('shop', { title }), 'doctor-0'), wanted)).toBeUndefined();
      expect(jobDifference(saved, wanted)).toBeUndefined();
    });

    it.each([
      [
        'a right more',
        '</hudson.security',
        '<permission>hudson.model.Item.Read:anonymous</permission></hudson.security',
        'rights',
      ],
      ['a right less', '<permission>hudson.model.Item.Build:ROLE_SHOP.ADMINS</permission>', '', 'rights'],
      ['a job that was disabled', '<disabled>false</disabled>\n  <block', '<disabled>true</disabled>\n  <block', 'disabled'],
      ['another command', 'request-build shop', 'request-build other', 'build'],
      ['a second step', '</hudson.tasks.Shell>', '</hudson.tasks.Shell><hudson.tasks.Ant/>', 'build'],
      ['a step after the build', '<keepDep', '<publishers><hudson.tasks.Mailer a="b"/></publishers><keepDep', 'build'],
      ['no step', /<hudson.tasks.Shell>.*<\/hudson.tasks.Shell>/s, '', 'build'],
      ['half a file', /<properties>.*/s, '', 'build'],
      ['nothing of Hudson', /.*/s, 'x', 'build'],
    ])('says so of %s', (_what, from, to, said) => {
      const damaged = wanted.replace(from, to);
      expect(damaged).not.toBe(wanted);
      expect(jobDifference(damaged, wanted)).toContain(said);
      expect(workDifference(damaged, wanted)).toContain(said);
    });

    it('says so of other words, which do not stop a build', () => {
      const other = jobXml(factsOf('shop', { title: 'Another' }), 'job-12345');
      expect(jobDifference(other, wanted)).toContain('description');
      expect(workDifference(other, wanted)).toBeUndefined();
    });
  });
});
