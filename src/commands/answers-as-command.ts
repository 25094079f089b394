import type { Question } from '../kernel/question.ts';
import { showCommand } from '../kernel/system.ts';
import type { Answers } from '../plan/answers.ts';
import { asCalled } from '../terminal/called-as.ts';
import type { CreateOptions } from './flags.ts';
import { answersName } from './kept-answers.ts';
import type { SshKeyOptions } from './ssh-keys.ts';

/**
 * The command line that gives the same answers without asking. What came from a file of answers and has no flag of its own
 * (keys, certificates, another stack) is taken from that file again.
 */
export function answersAsCommand(
  dir: string,
  answers: Answers,
  questions: readonly Question[],
  options: CreateOptions & SshKeyOptions,
): string {
  const isFromFile =
    answers.stack !== 'default' ||
    (answers.sshKeys !== undefined && options.sshKey === undefined) ||
    (answers.authorities !== undefined && options.authority === undefined);
  const args = [
    dir,
    ...(isFromFile ? ['--config', options.config ?? `${dir}/${answersName}`] : ['--yes']),
    ...questions.flatMap((question) => [`--${question.flag}`, answerText(question.id, answers)]),
    ...others(answers),
    ...given(options),
  ];
  return asCalled(showCommand({ file: 'create-devserver', args }));
}

const several = (flag: string, values: readonly string[] = []): string[] => values.flatMap((value) => [flag, value]);
const one = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);

function others({ extra, options, machine, outputs, url, timezone }: Answers): string[] {
  const set = Object.entries(options).flatMap(([component, values]) =>
    Object.entries(values).map(([name, value]) => `${component}.${name}=${value}`),
  );
  return [
    ...one('--cpus', String(machine.cpus)),
    ...several('--with', extra),
    ...several('--set', set),
    ...several('--output', outputs?.length === 0 ? ['raw'] : outputs),
    ...one('--url', url),
    ...one('--timezone', timezone),
  ];
}

/** Flags that are no answers, and shape the server or where it comes from. */
function given(options: CreateOptions & SshKeyOptions): string[] {
  return [
    ...several('--ssh-key', options.sshKey),
    ...several('--authority', options.authority),
    ...several('--stacks', options.stacks),
    ...one('--mirror', options.mirror),
    ...one('--maven-mirror', options.mavenMirror),
    ...one('--npm-mirror', options.npmMirror),
    ...one('--pypi-mirror', options.pypiMirror),
  ];
}

/** What a question's flag takes for an answer. */
function answerText(id: string, answers: Answers): string {
  const [part = '', name = ''] = id.split('.');
  if (part === 'choices') return (answers.choices[name] ?? []).join(',');
  const value = part === 'machine' ? answers.machine[name as 'memory'] : answers[part as 'name' | 'hostname' | 'base'];
  return String(value);
}
