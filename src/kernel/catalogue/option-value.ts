import { sizeInMiB } from '../size.ts';
import type { OptionData } from './component-schema.ts';

export type OptionValue = string | number | boolean;
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** What is wrong with the value, or undefined. */
export function whyWrong(option: OptionData, value: OptionValue): string | undefined {
  switch (option.type) {
    case 'bool':
      return typeof value === 'boolean' ? undefined : 'is neither true nor false';
    case 'int':
      if (typeof value !== 'number' || !Number.isInteger(value)) return 'is no whole number';
      if (option.min !== undefined && value < option.min) return `is less than ${option.min}`;
      return option.max !== undefined && value > option.max ? `is more than ${option.max}` : undefined;
    case 'size':
      if (typeof value !== 'string' || !/^[1-9][0-9]*[MG]$/.test(value)) return 'is no size such as 384M or 2G';
      if (option.min !== undefined && sizeInMiB(value) < sizeInMiB(option.min)) return `is less than ${option.min}`;
      return option.max !== undefined && sizeInMiB(value) > sizeInMiB(option.max) ? `is more than ${option.max}` : undefined;
    case 'enum':
      return option.of.includes(String(value)) ? undefined : `is not one of ${option.of.join(', ')}`;
    case 'string':
      if (typeof value !== 'string') return 'is no text';
      return option.pattern !== undefined && !new RegExp(option.pattern).test(value)
        ? `does not match ${option.pattern}`
        : undefined;
  }
}
