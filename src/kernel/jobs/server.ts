import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError } from '../driver-kit.ts';
import { type Answer, requestsTo, type ServerAddress } from './request.ts';

/** What a driver asks of a CI server of the family whose addresses are `job/NAME/…`; names are jobs. */
export type JobServer = ReturnType<typeof jobServer>;

/** @param renames the address below a job that gives it another name. */
export function jobServer(address: ServerAddress, renames: 'doRename' | 'confirmRename') {
  const { title, unit } = address;
  const hint = `journalctl -u ${unit}`;
  const request = requestsTo(address);

  const must = async (method: 'GET' | 'POST', path: string): Promise<Answer> => {
    const answer = await request(method, path);
    if (answer.status >= 400) throw new DriverError(`${title} answered ${answer.status} to ${method} ${path}`, hint);
    return answer;
  };

  /** Whether the server knows the job, whatever is on the disk. */
  const isKnown = async (name: string): Promise<boolean> =>
    (await request('GET', `${at(name)}/api/json?tree=name`)).status === 200;

  /**
   * Sets the whole configuration. The server reads the job's builds from the disk again: that shows a history put there, and
   * makes it take a build that is still running for one that failed.
   */
  const configure = async (name: string, xml: string): Promise<void> => {
    const { status } = await request('POST', `${at(name)}/config.xml`, xml);
    if (status === 404)
      throw new DriverError(
        `the job ${name} is on the disk, but ${title} does not know it`,
        `systemctl restart ${unit} reads it again`,
      );
    if (status >= 400) throw new DriverError(`${title} answered ${status} to the configuration of ${name}`);
  };

  /** Numbers of the builds that are running; none of a job the server doesn't know. */
  const running = async (name: string): Promise<number[]> => {
    const { status, body } = await request('GET', `${at(name)}/api/json?tree=builds%5Bnumber,building%5D`);
    if (status !== 200) return [];
    const { builds } = JSON.parse(body) as { builds?: { number: number; building: boolean }[] };
    return (builds ?? []).filter(({ building }) => building).map(({ number }) => number);
  };

  /** Waits until no build runs; false: one still does after `seconds`. */
  const idle = async (name: string, seconds: number): Promise<boolean> => {
    const end = performance.now() + seconds * 1000;
    while ((await running(name)).length > 0) {
      if (performance.now() > end) return false;
      await sleep(200);
    }
    return true;
  };

  return {
    title,
    hint,
    isKnown,
    configure,
    running,
    idle,

    /** The server is up and takes the driver for what it is. */
    ping: async (): Promise<void> => {
      await must('GET', 'api/json?tree=nodeName');
    },

    /** All jobs that the server knows, by name. */
    known: async (): Promise<string[]> => {
      const { jobs } = JSON.parse((await must('GET', 'api/json?tree=jobs%5Bname%5D')).body) as { jobs?: { name: string }[] };
      return (jobs ?? []).map(({ name }) => name);
    },

    /** The job as the server keeps it. */
    configOf: async (name: string): Promise<string> => (await must('GET', `${at(name)}/config.xml`)).body,

    /**
     * Makes the server know the job in jobs/NAME, or in a directory it makes; known already, it gets this configuration.
     * When it fails, the server deletes that directory with all it holds: never call this over data.
     */
    create: async (name: string, xml: string): Promise<void> => {
      const { status } = await request('POST', `createItem?name=${encodeURIComponent(name)}`, xml);
      if (status < 300) return;
      if (status === 400 && (await isKnown(name))) return configure(name, xml);
      throw new DriverError(`${title} answered ${status} when it was to make the job ${name}`, hint);
    },

    /** Sets the description alone, which leaves running builds as they are. */
    describe: async (name: string, words: string): Promise<void> => {
      await must('POST', `${at(name)}/description?description=${encodeURIComponent(words)}`);
    },

    startBuild: async (name: string): Promise<void> => {
      const { status } = await request('POST', `${at(name)}/build?delay=0sec`);
      if (status >= 400) throw new DriverError(`${title} answered ${status} when it was to build ${name}`);
    },

    /** Lets no further build begin and stops those that run. @throws DriverError when one goes on. */
    quiesce: async (name: string): Promise<void> => {
      // takes it out of the queue too
      if ((await request('POST', `${at(name)}/disable`)).status === 404) return;
      for (const number of await running(name)) await request('POST', `${at(name)}/${number}/stop`);
      if (!(await idle(name, 15)))
        throw new DriverError(`a build of ${name} does not stop`, `stop it in ${title}, then try again`);
    },

    /** Gives a job that the server knows another name, on the disk too; done when it returns. */
    rename: async (name: string, to: string): Promise<void> => {
      await must('POST', `${at(name)}/${renames}?newName=${encodeURIComponent(to)}`);
      if (await isKnown(name)) throw new DriverError(`${title} did not rename ${name}`, 'is a build of it running?');
    },

    /** Deletes a job; some servers delete its directory in a thread, some time after the answer. */
    destroy: async (name: string): Promise<void> => {
      await request('POST', `${at(name)}/doDelete`);
    },
  };
}

const at = (name: string): string => `job/${encodeURIComponent(name)}`;
