import { expect, it } from 'vitest';
import { namesFiles } from '../../../stacks/components/ldap/dump.ts';

it('LDIF that would have a file of the machine read is told from LDIF that does not', () => {
  const good = ['dn: cn=a,dc=b\ncn: a <b>\ndescription:: PGE+\n', '# include: x\ndn: cn=a\n', 'dn: cn=a\ncn: x:< y\n', ''];
  const bad = [
    'dn: cn=a\njpegPhoto:< file:///etc/shadow\n',
    'dn: cn=a\njpegPhoto:\n < file:///etc/shadow\n',
    'dn: cn=a\r\njpegPhoto\r\n :< file:///etc/shadow\r\n',
    'include: file:///etc/passwd\n',
    'version: 1\nINCLUDE: file:///etc/passwd\n',
    'version: 1\ninc\n lude: file:///etc/passwd\n',
  ];
  for (const text of good) expect(namesFiles(text), text).toBe(false);
  for (const text of bad) expect(namesFiles(text), text).toBe(true);
});
