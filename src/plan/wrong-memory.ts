import type { StackData } from '../kernel/catalogue/base-schema.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { shownSize, sizeInMiB } from '../kernel/size.ts';
import type { Answers } from './answers.ts';
import { resolveOptions } from './options.ts';
import type { WrongAnswer } from './wrong-answers.ts';

/** Memory that does not hold what the answers put into it: a heap in its component's limit, all of them in the machine. */
export function wrongMemory(components: readonly Component[], stack: StackData, answers: Answers): WrongAnswer[] {
  const options = resolveOptions(components, stack.options, answers);
  const demands = components.map(({ data }) => demandOf(data, (name) => String(options.get(data.name)?.[name])));
  return [...demands.flatMap((demand) => wrongLimit(demand, answers)), ...wrongMachine(demands, answers.machine.memory)];
}

/** What one component wants of the machine, in MiB. */
interface Demand {
  readonly component: string;
  /** Without anybody's work; with a heap at least that. */
  readonly needs: number;
  /** Absent: it has no heap that could be set. */
  readonly heap?: {
    readonly option: string;
    readonly size: number;
    readonly beside: number;
    readonly limit: string;
    readonly most: number;
  };
}

function demandOf({ name: component, memory }: Component['data'], optionOf: (name: string) => string): Demand {
  if (memory === undefined) return { component, needs: 0 };
  const idle = sizeInMiB(memory.idle);
  if (memory.heap === undefined) return { component, needs: idle };
  const { option, beside, limit } = memory.heap;
  const [size, most] = [sizeInMiB(optionOf(option)), sizeInMiB(optionOf(limit))];
  // an option that is not there is told by the rules
  if (Number.isNaN(size + most)) return { component, needs: idle };
  const heap = { option, size, beside: sizeInMiB(beside), limit, most };
  return { component, needs: Math.max(idle, size), heap };
}

/** Told at the option that was given; both may have been. */
function wrongLimit({ component, heap }: Demand, { options }: Answers): WrongAnswer[] {
  if (heap === undefined || heap.most >= heap.size + heap.beside) return [];
  const { option, size, beside, limit, most } = heap;
  const given = options[component] ?? {};
  return [
    {
      path: ['options', component, option in given ? option : limit],
      message: `${component}.${option} ${shownSize(size)} and the ${shownSize(beside)} it takes beside do not fit into ${component}.${limit} ${shownSize(most)}`,
      hint: `${component}.${limit} ${shownSize(size + beside)} at least, or a smaller ${component}.${option}`,
    },
  ];
}

function wrongMachine(demands: readonly Demand[], memory: string): WrongAnswer[] {
  const needed = demands.reduce((sum, { needs }) => sum + needs, 0);
  if (needed <= sizeInMiB(memory)) return [];
  const heaps = demands.flatMap(({ component, heap, needs }) =>
    heap === undefined ? [] : [{ option: `${component}.${heap.option}`, needs }],
  );
  const rest = needed - heaps.reduce((sum, { needs }) => sum + needs, 0);
  const parts = [...heaps.map(({ option, needs }) => `${shownSize(needs)} for ${option}`), `${shownSize(rest)} for all else`];
  const less = heaps.length === 0 ? 'fewer components' : `a smaller ${heaps.map(({ option }) => option).join(' or ')}`;
  return [
    {
      path: ['machine', 'memory'],
      message: `${memory} memory is too little for what runs: it takes ${shownSize(needed)}, ${parts.join(', ')}`,
      hint: `${shownSize(needed)} at least, or ${less}`,
    },
  ];
}
