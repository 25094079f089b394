import { projectNamePattern } from '../../../src/kernel/appliance.ts';

/** What a CI job asks for. Number and address are the CI server's words about its build; the build only repeats them. */
export interface BuildRequest {
  readonly project: string;
  /** Digits, or `-`. */
  readonly number: string;
  /** An address without blanks, or `-`. */
  readonly url: string;
}

const line = new RegExp(`^build (${projectNamePattern}) ([0-9]{1,9}|-) (https?://[\\x21-\\x7e]{1,500}|-)$`);

/** Longest request in bytes. */
export const longestRequest = 1024;

/** The request in a line `build NAME NUMBER ADDRESS`, or undefined when it is none. */
export function parseRequest(text: string): BuildRequest | undefined {
  const [, project, number, url] = line.exec(text) ?? [];
  if (project === undefined || number === undefined || url === undefined) return undefined;
  return { project, number, url };
}
