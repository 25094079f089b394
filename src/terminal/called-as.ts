/** Commands in a sentence as the user can type them: from a checkout it is `npm start --` that was typed. */
export function asCalled(text: string, env: NodeJS.ProcessEnv = process.env): string {
  if (env.npm_lifecycle_event !== 'start') return text;
  return text.replaceAll(/(?<![\w/.-])create-devserver (?=[\p{L}\p{N}_./~]|--[a-z])/gu, 'npm start -- ');
}
