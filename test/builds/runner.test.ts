import { describe, expect, it } from 'vitest';
import { eventText } from '../../stacks/components/builds/event.ts';
import { exitFrame, logFrame } from '../../stacks/components/builds/frames.ts';
import { outcomeOf } from '../../stacks/components/builds/outcome.ts';
import { makeQueue } from '../../stacks/components/builds/queue.ts';
import { parseRequest } from '../../stacks/components/builds/request.ts';

const never = new AbortController().signal;
const silent = (): void => undefined;

describe('a request', () => {
  it('is a project, a number and an address', () => {
    expect(parseRequest('build shop 12 https://example.org/job/shop/12/')).toEqual({
      project: 'shop',
      number: '12',
      url: 'https://example.org/job/shop/12/',
    });
    expect(parseRequest('build shop - -')).toEqual({ project: 'shop', number: '-', url: '-' });
  });

  it.each([
    'build ../x 1 -',
    'build shop 1',
    'build shop 1 - -',
    'build Shop 1 -',
    'build shop 1x -',
    'build shop 1 file:///etc',
    'build shop 1 https://x\ty',
    'build shop 1 https://x\n',
    'stop shop 1 -',
    '',
  ])('is not %j', (line) => {
    expect(parseRequest(line)).toBeUndefined();
  });
});

describe('the queue', () => {
  it('lets one build per project and so many in all run, first come, first served', async () => {
    const queue = makeQueue(2);
    const order: string[] = [];
    const behind: (string | undefined)[] = [];
    const enter = (project: string, name: string): Promise<number> =>
      queue
        .enter(project, (it) => behind.push(it), never)
        .then((slot) => {
          order.push(name);
          return slot;
        });
    const first = await enter('shop', 'shop 1');
    const second = enter('shop', 'shop 2');
    const other = await enter('open', 'open 1');
    const third = enter('yard', 'yard 1');
    expect([first, other, order, behind]).toEqual([1, 2, ['shop 1', 'open 1'], ['shop', undefined]]);
    queue.leave(other);
    expect(await third).toBe(2);
    queue.leave(first);
    expect(await second).toBe(1);
    expect(queue.length()).toBe(2);
  });

  it('forgets who went away', async () => {
    const queue = makeQueue(1);
    await queue.enter('shop', silent, never);
    const gone = new AbortController();
    const left = queue.enter('open', silent, gone.signal);
    const next = queue.enter('yard', silent, never);
    gone.abort();
    await expect(left).rejects.toThrow('went away');
    queue.leave(1);
    expect(await next).toBe(1);
  });
});

describe('the end of a build', () => {
  it.each([
    [{ Result: 'success', ExecMainStatus: '0' }, true, 'success', 0],
    [{ Result: 'exit-code', ExecMainStatus: '7' }, true, 'failure', 7],
    [{ Result: 'exit-code', ExecMainStatus: '243' }, true, 'failure', 243],
    [{ Result: 'exit-code', ExecMainStatus: '243' }, false, 'failure', 125],
    [{ Result: 'signal', ExecMainStatus: '9' }, true, 'failure', 137],
    [{ Result: 'timeout', ExecMainStatus: '15' }, true, 'failure', 124],
    [{ Result: 'oom-kill', ExecMainStatus: '9' }, true, 'failure', 137],
    [{ Result: 'success', ExecMainStatus: '0' }, false, 'failure', 125],
    [{}, false, 'failure', 125],
  ])('%j, said %s: %s %i', (properties, said, result, code) => {
    expect(outcomeOf(properties as Record<string, string>, said, 30)).toMatchObject({ result, code });
  });

  it('is hinted at in three lines', () => {
    const request = { project: 'shop', number: '12', url: 'https://example.org/' };
    expect(eventText(request, { result: 'failure', code: 1 }, 3.4)).toBe(
      'project shop\nuser \nchange 12 failure https://example.org/ 3\n',
    );
  });
});

it('log and code travel in frames', () => {
  expect(logFrame(Buffer.from('e')).toString('latin1')).toBe('l\0\0\0\x01e');
  expect(exitFrame(12).toString('latin1')).toBe('e\0\0\0\x0212');
});
