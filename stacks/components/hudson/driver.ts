import { readFileSync } from 'node:fs';
import { serveDriver } from '../../../src/kernel/driver-kit.ts';
import { jobVerbs } from '../../../src/kernel/jobs/driver.ts';
import { jobServer } from '../../../src/kernel/jobs/server.ts';
import { descriptionHtml, jobXml } from './job-xml.ts';

const server = jobServer(
  {
    title: 'Hudson',
    unit: 'devserver-tomcat@hudson',
    base: 'http://127.0.0.1:8082/hudson',
    user: 'hudson-driver',
    password: () => readFileSync('/srv/system/secrets/hudson/service', 'utf8'),
    refused: 'is the directory up? devserver status',
  },
  'doRename',
);

serveDriver(jobVerbs({ server, root: '/srv/ci/hudson/jobs', xml: jobXml, words: descriptionHtml }));
