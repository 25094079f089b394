import { readFileSync } from 'node:fs';
import { serveDriver } from '../../../src/kernel/driver-kit.ts';
import { jobVerbs } from '../../../src/kernel/jobs/driver.ts';
import { jobServer } from '../../../src/kernel/jobs/server.ts';
import { crumbFrom } from './crumb.ts';
import { descriptionText, jobXml } from './job-xml.ts';

const base = 'http://127.0.0.1:8083/jenkins';

const server = jobServer(
  {
    title: 'Jenkins',
    unit: 'jenkins',
    base,
    user: 'devserver',
    password: () => readFileSync('/run/devserver/jenkins/account', 'utf8').trim(),
    refused: 'its account is made at each start: systemctl restart jenkins',
    changing: crumbFrom(base),
  },
  'confirmRename',
);

serveDriver(jobVerbs({ server, root: '/srv/ci/jenkins/jobs', xml: jobXml, words: descriptionText }));
