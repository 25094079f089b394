import { describe, expect, it } from 'vitest';
import { answersSchema } from '../../src/plan/answers.ts';
import { timeZones } from '../../src/plan/time-zones.ts';

const { hostname, timezone, url } = answersSchema.shape;
const why = (schema: typeof hostname | typeof timezone | typeof url, value: string): string | undefined =>
  schema
    .safeParse(value)
    .error?.issues.map(({ message }) => message)
    .join();

describe('a time zone', () => {
  it.each([
    ['europe/vienna', 'Europe/Vienna'],
    ['Vienna', 'Europe/Vienna'],
    ['Europe/Viena', 'Europe/Vienna'],
    ['utc', 'UTC'],
    // of the package tzdata-legacy, which the appliance does not have
    ['US/Eastern', 'America/New_York'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['Poland', 'Europe/Warsaw'],
    // other names of zones that are no files
    ['+02:00', undefined],
    ['../../etc/passwd', undefined],
    ['Etc/localtime', undefined],
    ['', undefined],
  ])('%s is refused, %s was meant', (name, meant) => {
    const expected = `must be a time zone such as Europe/Vienna${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    expect(why(timezone, name)).toBe(expected);
  });

  it('is one of those the appliance has, each a name of the world', () => {
    for (const zone of timeZones) {
      expect(why(timezone, zone), zone).toBeUndefined();
      expect(() => new Intl.DateTimeFormat('en', { timeZone: zone }), zone).not.toThrow();
    }
    expect(new Set(timeZones).size).toBe(timeZones.length);
    for (const zone of ['UTC', 'Etc/UTC', 'Europe/Vienna', 'America/Argentina/Buenos_Aires', 'Europe/Kyiv', 'Asia/Kolkata'])
      expect(timeZones).toContain(zone);
  });
});

describe('a host name', () => {
  const long = `${'a'.repeat(60)}.b${'c'.repeat(2)}`;

  it.each([
    [long, undefined],
    [`${long}d`, 'must be 64 characters at most: Linux takes no longer host name'],
    ['localhost', "must not be localhost, every computer's name for itself"],
    ['localhost.localdomain', "must not be localhost, every computer's name for itself"],
    ['dev.localhost', "must not be localhost, every computer's name for itself"],
    ['localhosts', undefined],
    ['10.0.0.7', 'must not end in a number, as an address does'],
    ['7', 'must not end in a number, as an address does'],
    ['dev7', undefined],
    ['7.example.org', undefined],
  ])('%s: %s', (name, told) => {
    expect(long).toHaveLength(64);
    expect(why(hostname, name)).toBe(told);
  });
});

describe('an address', () => {
  const plain = 'must be a plain host in lower case behind https://, such as https://dev.example.org';

  it.each([
    ['https://x:0', plain],
    ['https://x:08443', plain],
    ['https://x:65536', 'must be an address such as https://dev.example.org'],
    ['https://x:65535', undefined],
    ['https://x:1/', undefined],
  ])('%s: %s', (address, told) => expect(why(url, address)).toBe(told));
});
