import type { Fault } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { PathPart } from '../yaml-file.ts';
import type { ComponentData } from './component-schema.ts';
import type { Component } from './load.ts';
import { type OptionValue, whyWrong } from './option-value.ts';

/** One wrong option: where it stands below `options`, a sentence, the remedy. */
export interface WrongOption {
  readonly path: readonly PathPart[];
  readonly message: string;
  readonly hint: string;
}

/** A default that the option itself would refuse. */
export function optionDefaultsFit(components: readonly Component[]): Fault[] {
  return components.flatMap(({ data, yaml }) =>
    Object.entries(data.options).flatMap(([name, option]) => {
      const why = whyWrong(option, option.default);
      return why === undefined
        ? []
        : [yaml.faultAt(['options', name, 'default'], `${name}: ${JSON.stringify(option.default)} ${why}`)];
    }),
  );
}

/** A heap is the value of an option that is a size, and so is the limit around it. */
export function heapsAreOptions(components: readonly Component[]): Fault[] {
  return components.flatMap(({ data, yaml }) => {
    const sizes = Object.keys(data.options).filter((name) => data.options[name]?.type === 'size');
    return (['option', 'limit'] as const).flatMap((key) => {
      const name = data.memory?.heap?.[key];
      if (name === undefined || sizes.includes(name)) return [];
      return [yaml.faultAt(['memory', 'heap', key], `there is no option ${name} of the type size`, didYouMean(name, sizes))];
    });
  });
}

/** What is wrong with the options given to one component; a value that is undefined is told elsewhere. */
export function wrongOptionsOf(data: ComponentData, given: Readonly<Record<string, OptionValue | undefined>>): WrongOption[] {
  const names = Object.keys(data.options);
  return Object.entries(given).flatMap(([name, value]) => {
    const option = names.includes(name) ? data.options[name] : undefined;
    const path = [data.name, name];
    if (option === undefined) {
      const hint = didYouMean(name, names) ?? `it has ${names.join(', ') || 'none'}`;
      return [{ path, message: `${data.name} has no option "${name}"`, hint }];
    }
    const why = value === undefined ? undefined : whyWrong(option, value);
    return why === undefined
      ? []
      : [{ path, message: `${data.name}.${name}: ${JSON.stringify(value)} ${why}`, hint: option.help }];
  });
}
