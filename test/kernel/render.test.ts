import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/kernel/errors.ts';
import { render, templateFaults } from '../../src/kernel/render.ts';

const context = { options: { heap: '<512M>' }, list: [{ name: 'a"b' }], flag: true };

describe('render', () => {
  it('escapes by the kind of the output', () => {
    expect(render('x.xml.hbs', '<a>{{options.heap}}</a>', context)).toBe('<a>&lt;512M&gt;</a>');
    expect(render('x.json.hbs', '{"a":"{{#each list as |it|}}{{it.name}}{{/each}}"}', context)).toBe('{"a":"a\\"b"}');
    expect(render('x.conf.hbs', 'a={{options.heap}}', context)).toBe('a=<512M>');
  });

  it('refuses control characters where a line break would add a directive', () => {
    expect(() => render('x.conf.hbs', 'a={{v}}', { v: 'x\nLoadModule evil' })).toThrow(/control character/);
  });

  it('finds names that nothing defines, also in conditions', () => {
    const template = '{{#if options.heep}}x{{/if}}\n {{nope}}{{nope}}{{#each list as |it|}}{{it.name}}{{/each}}';
    const hint = 'it may use flag, list, options';
    expect(templateFaults('x.conf', template, context)).toEqual([
      { file: 'x.conf', line: 1, column: 7, message: 'it names options.heep, which nothing defines', hint },
      { file: 'x.conf', line: 2, column: 4, message: 'it names nope, which nothing defines', hint },
    ]);
    expect(() => render('x.conf', template, context)).toThrow(DataError);
  });

  it('tells where a template can not be read', () => {
    const [fault] = templateFaults('x.json.hbs', '{\n"a": {{options.heap}}}', context);
    expect(fault).toMatchObject({ file: 'x.json.hbs', line: 2, message: expect.stringContaining('Parse error: ') });
    expect(() => render('x.json.hbs', '{"a": {{options.heap}}}', context)).toThrow(DataError);
  });
});
