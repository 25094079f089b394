import { rmSync, writeFileSync } from 'node:fs';
import { DriverError, resourceVerbs, serveDriver } from '../../../src/kernel/driver-kit.ts';
import { bootstrapArchiva, isClosed } from './bootstrap.ts';
import { content } from './content.ts';
import { base, secret } from './driver-connection.ts';
import { outsideAddress, settleOutside } from './outside.ts';
import { repository } from './repository.ts';
import { ArchivaError } from './rest.ts';

const state = '/srv/maven/archiva';

/** Idempotent: each step first asks whether it is done. */
async function bootstrap(): Promise<void> {
  await requireAnswer();
  try {
    await bootstrapArchiva({
      base,
      rootPassword: secret('root'),
      service: { user: 'archiva-driver', password: secret('service') },
      front: 'archiva-front',
      administrators: ['admin'],
    });
  } catch (error) {
    if (!(error instanceof ArchivaError)) throw error;
    if (error.reason === 'no-root') writeFileSync(`${state}/start-again`, '');
    throw new DriverError(error.message, 'journalctl -u devserver-tomcat@archiva');
  }
  rmSync(`${state}/start-again`, { force: true });
  // before what may fail for reasons of the outside: Archiva's own data is kept from here on
  writeFileSync(`${state}/bootstrapped`, '');
  await settleOutside(outsideAddress());
}

/** Whether the web application is up at all; while Tomcat starts this is the usual answer. */
async function requireAnswer(): Promise<void> {
  const status = await fetch(`${base}/restServices/archivaServices/pingService/ping`, { signal: AbortSignal.timeout(20_000) })
    .then((response) => response.status)
    .catch(() => 0);
  if (status !== 200) throw new DriverError(status === 0 ? 'Archiva is starting' : `Archiva answers ${status}`);
}

serveDriver({
  bootstrap,
  'is-closed': async () => {
    if (!(await isClosed({ base }))) throw new DriverError('Archiva is open to unknown users');
  },
  ...resourceVerbs({ content, repository }),
});
