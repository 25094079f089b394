import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { didYouMean } from '../kernel/nearest.ts';

/** Why a flag's argument can't be taken, with a remedy where there is one to tell, or undefined. */
export type WhyWrong = (text: string) => string | { readonly message: string; readonly hint: string | undefined } | undefined;

/** A mirror's address: http or https, with a host, and with no login: it would stand in the image and in logs. */
export const address: WhyWrong = (text) => {
  const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/\s/.test(text);
  if (!isAddress) return 'must be an address such as https://mirror.example.org/debian';
  const { username, password } = new URL(text);
  return username === '' && password === '' ? undefined : 'must hold no login: it would stand in the image';
};

/** A whole number from `least` to `most`: digits alone. */
export function wholeNumber(least: number, most: number): WhyWrong {
  return (text) =>
    /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}

/** One of a few words. */
export function oneOf(choices: readonly string[]): WhyWrong {
  return (text) =>
    choices.includes(text) ? undefined : { message: `is not one of ${choices.join(', ')}`, hint: didYouMean(text, choices) };
}

/** An IPv4 address that something can listen on here; 0.0.0.0 stands for all. */
export const ownAddress: WhyWrong = (text) => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = ['127.0.0.1', '0.0.0.0', ...all.filter(({ family }) => family === 'IPv4').map((it) => it.address)];
  if (own.includes(text)) return undefined;
  const message = isIP(text) === 4 ? 'this computer has no such address' : 'must be an IPv4 address of this computer';
  return { message, hint: `there are ${[...new Set(own)].join(', ')}` };
};
