import { existsSync, lstatSync, readdirSync, rmSync, watch } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { ApplianceComponent } from '../../src/kernel/appliance.ts';
import { readPlain } from '../../src/kernel/derived.ts';
import { type EventArgs, type EventType, projectName } from '../../src/kernel/project.ts';
import type { Office } from '../api/office.ts';
import { askDriver } from '../drivers.ts';
import { findByAnyName } from './former-names.ts';
import { makeLanes } from './locks.ts';

const word = /^[\x21-\x7e]{1,512}$/;
const hint = z.object({
  project: projectName,
  user: z.string().regex(/^[a-z0-9.-]{0,64}$/),
  changes: z.array(z.array(z.string().regex(word)).min(1).max(8)).max(1000),
});

/** Files longer than this are no hints. */
const maxBytes = 256 * 1024;
/** Milliseconds a receiver is asked again. */
const patience = 86_400_000;

/** What a hook wrote: `project`, `user` and `change` lines. @throws Error for anything else. */
export function parseHint(text: string): z.output<typeof hint> {
  const lines = text.split('\n').filter((line) => line !== '');
  const valuesOf = (key: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
  return hint.parse({
    project: valuesOf('project')[0],
    user: valuesOf('user')[0] ?? '',
    changes: valuesOf('change').map((line) => line.split(' ').filter((it) => it !== '')),
  });
}

/** Watches every component's spool and tells the events to those that want them, in order for each project. */
export function watchSpools(office: Office): void {
  const lanes = makeLanes();
  for (const component of office.catalogue.components) {
    const { spool, emits } = component;
    const [type] = emits;
    if (spool === undefined || type === undefined || !existsSync(spool)) continue;
    const seen = new Set<string>();
    const look = (): void => {
      for (const name of readdirSync(spool)
        .filter((it) => /^[A-Za-z0-9_-]{1,80}$/.test(it))
        .sort()) {
        if (seen.has(name)) continue;
        seen.add(name);
        void take(office, lanes.run, type, component.name, path.join(spool, name), name).finally(() => seen.delete(name));
      }
    };
    watch(spool, look);
    // a look now and then, for what the watch may have missed
    setInterval(look, 30_000).unref();
    look();
  }
}

async function take(
  office: Office,
  inLane: ReturnType<typeof makeLanes>['run'],
  type: EventType,
  from: string,
  file: string,
  id: string,
): Promise<void> {
  try {
    const { mtimeMs } = lstatSync(file);
    const text = readPlain(file, maxBytes);
    if (text === undefined) throw new Error('it is no plain file, or too long');
    const { project, user, changes } = parseHint(text);
    const event = { type, id: `${from}-${id}`, user, changes };
    const receivers = office.catalogue.components.filter(({ events, driver }) => driver !== undefined && events.includes(type));
    // a receiver that is down holds up its own events alone
    const tell = (it: ApplianceComponent): Promise<void> =>
      inLane(`${project}:${it.name}`, 1, () => tellOne(office, it, event, project, mtimeMs + patience));
    await Promise.all(receivers.map(tell));
  } catch (error) {
    console.error(`the hint ${file} is thrown away: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    rmSync(file, { recursive: true, force: true });
  } catch (error) {
    console.error(`the hint ${file} can't be removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function tellOne(
  office: Office,
  receiver: ApplianceComponent,
  event: Omit<EventArgs, 'project'>,
  name: string,
  until: number,
): Promise<void> {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 600_000)) {
    // read anew each time: deleted meanwhile, it has nobody to tell; changed, the news count
    // it may have got another name since
    const project = findByAnyName(office.bench.specifications, name);
    if (project === undefined) return;
    if (receiver.provides.includes('ci') && !project.ci) return;
    try {
      await askDriver(receiver, 'event', { ...event, project: office.workshop.factsOf(project) }, 120);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (Date.now() + wait > until) {
        console.error(`${receiver.name} could not be told of ${event.type} in ${name} for a day: ${reason}`);
        return;
      }
      console.log(`${receiver.name} could not be told of ${event.type} in ${name}: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
