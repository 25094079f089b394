import { describe, expect, it } from 'vitest';
import { headOf, jobDifference } from '../../src/kernel/jobs/xml.ts';
import { descriptionText, jobXml } from '../../stacks/components/jenkins/job-xml.ts';
import { factsOf } from '../e2e/support/resources.ts';

describe('a job of Jenkins as XML', () => {
  const title = 'Ü 日本 😀 <b>&amp;</b> "\' ]]> --> ${x}';
  const wanted = jobXml(
    factsOf('shop', { title, description: 'one\ntwo', links: { tracker: { url: 'https://x/t' } } }),
    'job-12345',
  );

  it('is plain ASCII, and says which job of ours made it', () => {
    expect(wanted).toMatch(/^[\n -~]*$/);
    expect(wanted.startsWith(headOf('job-12345'))).toBe(true);
    expect(wanted).not.toContain('<b>');
  });

  it('describes itself in plain text, since Jenkins shows no HTML', () => {
    expect(descriptionText(factsOf('shop', { title, description: 'one', links: { tracker: { url: 'https://x/t' } } }))).toBe(
      `${title}\none\nhttps://x/t`,
    );
    expect(descriptionText(factsOf('shop', { title }))).toBe(title);
  });

  it('needs no plugin: each class in it is of the core', () => {
    const classes = [...wanted.matchAll(/(?:<|class=")([a-z]+(?:\.[a-z]+)*\.[A-Z]\w*)/g)].map(([, name]) => name);
    expect(classes).toEqual([
      'jenkins.model.BuildDiscarderProperty',
      'hudson.tasks.LogRotator',
      'hudson.scm.NullSCM',
      'hudson.tasks.Shell',
    ]);
    expect(wanted).not.toContain('permission');
  });

  it('builds nothing once the project is archived', () => {
    expect(wanted).toContain('<disabled>false</disabled>');
    expect(jobXml(factsOf('shop', { archived: true }), 'job-12345')).toContain('<disabled>true</disabled>');
  });

  it('is as it should be when Jenkins has written it in its own way', () => {
    const saved = wanted
      .replace(/<\?xml.*\?>\n<!--.*-->/, "<?xml version='1.1' encoding='UTF-8'?>")
      .replace('#!/bin/sh\n', '#!/bin/sh&#xa;')
      .replace('</command>', '</command><configuredLocalRules/>')
      .replace('<buildWrappers/>', '<buildWrappers></buildWrappers>');
    expect(jobDifference(saved, wanted)).toBeUndefined();
    expect(jobDifference(saved.replace('request-build shop', 'request-build other'), wanted)).toContain('build');
  });
});
