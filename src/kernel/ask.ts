import { exitCodes, UserError } from './errors.ts';
import type { Answer, Question } from './question.ts';

/** Asks one question at the terminal. Ctrl-C ends with exit code 130, nothing done. */
export async function ask(question: Question): Promise<Answer> {
  // only now: what asks nobody need not wait until it is loaded
  const { default: inquirer } = await import('inquirer');
  try {
    const { value } = await inquirer.prompt<{ value: Answer }>([promptOf(question)] as never);
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new UserError('interrupted; nothing was done', { exitCode: exitCodes.interrupted });
    }
    throw error;
  }
}

function promptOf(question: Question): Record<string, unknown> {
  const choices = question.choices?.map(({ value, label, about }) => ({
    value,
    name: label,
    ...(about === undefined ? {} : { description: about }),
  }));
  const base = { name: 'value', message: question.message };
  switch (question.kind) {
    case 'text':
      return {
        ...base,
        type: 'input',
        default: question.default,
        validate: (value: string) => question.whyWrong?.(value) ?? true,
      };
    case 'secret':
      return { ...base, type: 'password', validate: (value: string) => question.whyWrong?.(value) ?? true };
    case 'one':
      return { ...base, type: 'select', choices, default: question.default };
    case 'several': {
      const preset = question.default as readonly string[];
      return {
        ...base,
        type: 'checkbox',
        choices: choices?.map((choice) => ({ ...choice, checked: preset.includes(choice.value) })),
        validate: (taken: readonly { readonly value: string }[]) =>
          question.whyWrong?.(taken.map(({ value }) => value).join(',')) ?? true,
      };
    }
    case 'yes-no':
      return { ...base, type: 'confirm', default: question.default };
  }
}
