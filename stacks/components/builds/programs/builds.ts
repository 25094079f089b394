import { createServer, type Socket } from 'node:net';
import { realSystem } from '../../../../src/kernel/system.ts';
import { hint } from '../event.ts';
import { exitFrame, logFrame } from '../frames.ts';
import { passOn } from '../log.ts';
import { type Outcome, runnerFailed } from '../outcome.ts';
import { makeQueue } from '../queue.ts';
import { type BuildRequest, longestRequest, parseRequest } from '../request.ts';
import { endLeftovers, runUnit } from '../unit.ts';

const system = realSystem();
const minutes = Number(process.env.MINUTES ?? 30);
const limit = bytesOf(process.env.LOG_LIMIT ?? '32M');
const queue = makeQueue(Number(process.env.EXECUTORS ?? 1));
/** Builds that run or wait; a CI server has its own queue. */
const most = 64;
const idleSeconds = 120;

/** One connection, one build: the request, then the log and at last the code. */
async function serve(asker: Socket): Promise<void> {
  const gone = new AbortController();
  asker.on('error', () => asker.destroy());
  asker.on('close', () => gone.abort());
  const say = (text: string): void => void asker.write(logFrame(Buffer.from(`[devserver] ${text}\n`)));
  const finish = ({ code, message }: Omit<Outcome, 'result'>): void => {
    if (asker.destroyed) return;
    if (message !== undefined) say(message);
    asker.end(exitFrame(code));
  };
  const request = await readRequest(asker);
  if (request === undefined) return finish({ code: runnerFailed, message: 'not built: this is no request for a build' });
  // from here on an asker has nothing more to say; the end of what it sends is its end
  asker.on('end', () => asker.destroy());
  asker.resume();
  if (queue.length() >= most) return finish({ code: runnerFailed, message: `not built: ${most} builds are waiting already` });
  const waits = (behind: string | undefined): void =>
    say(behind === undefined ? 'waiting: other projects are being built' : `waiting: another build of ${behind} comes first`);
  const slot = await queue.enter(request.project, waits, gone.signal).catch(() => undefined);
  if (slot === undefined) return;
  const begun = performance.now();
  try {
    const onLog = (log: Socket): void => passOn(log, asker, limit);
    const outcome = await runUnit(slot, request, { system, minutes, onLog, signal: gone.signal });
    if (outcome.code !== runnerFailed) hint(request, outcome, (performance.now() - begun) / 1000, system.now());
    finish(outcome);
  } finally {
    queue.leave(slot);
  }
}

/** The first line; undefined when it is too long, too late or no request. */
function readRequest(asker: Socket): Promise<BuildRequest | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const done = (request: BuildRequest | undefined): void => {
      clearTimeout(timer);
      asker.off('data', take);
      resolve(request);
    };
    const take = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\n');
      if (end !== -1) done(parseRequest(text.slice(0, end)));
      else if (text.length > longestRequest) done(undefined);
    };
    const timer = setTimeout(() => done(undefined), 10_000);
    asker.on('data', take);
    asker.once('close', () => done(undefined));
  });
}

function bytesOf(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('G') ? 1024 ** 3 : 1024 ** 2);
}

let open = 0;
let timer: NodeJS.Timeout | undefined;
/** Nothing to do for a while: the next request starts the program again. */
function rest(): void {
  clearTimeout(timer);
  if (open === 0) timer = setTimeout(() => process.exit(0), idleSeconds * 1000);
}

const server = createServer({ allowHalfOpen: false }, (asker) => {
  open += 1;
  clearTimeout(timer);
  void serve(asker)
    .catch((error: unknown) => {
      console.error(error);
      if (!asker.destroyed) asker.end(exitFrame(runnerFailed));
    })
    .finally(() => {
      open -= 1;
      rest();
    });
});
await endLeftovers(system);
server.listen({ fd: 3 });
rest();
