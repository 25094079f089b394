import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface MadeCertificate {
  readonly pem: string;
  readonly key: string;
}

/** A certificate of its own making, from now on for `days`; an authority unless told. */
export function madeCertificate(subject: string, { days = 100, ca = true } = {}): MadeCertificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'authority-'));
  const [key, crt] = [path.join(folder, 'key'), path.join(folder, 'crt')];
  const usage = ca ? ['-addext', 'keyUsage=critical,keyCertSign'] : ['-addext', 'subjectAltName=DNS:example.org'];
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', crt],
        ...[
          '-days',
          String(days),
          '-subj',
          subject,
          '-addext',
          `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`,
          ...usage,
        ],
      ],
      { stdio: 'pipe' },
    );
    return { pem: readFileSync(crt, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
