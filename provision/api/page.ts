import type { Operation } from './operation.ts';

/** docs/api.md: the operations as people read them; programs take /api/openapi.json. Pure. */
export function apiPage(operations: readonly Operation[]): string {
  const rows = operations.map(
    ({ method, path, summary, who, query = [] }) =>
      `| \`${method} /api${path}\` | ${summary}${query.includes('dryRun') ? '; with `?dryRun=true` only what it would do' : ''} | ${who} |`,
  );
  return [
    '# The API',
    '',
    'Made from the operations themselves; `npm run docs` writes this page anew. The whole description, with every field of requests and answers (OpenAPI 3.1, made from the schemas that check them), is served at `/api/openapi.json`.',
    '',
    'Log in with HTTP Basic, as everywhere. A request with a body needs `Content-Type: application/json`. With `Accept: application/x-ndjson` a job’s steps come as they happen, one JSON value per line; the last has the type `result` or `error`. A person may send 60 requests at once and 120 a minute; beyond that the answer is 429, with `Retry-After` in seconds. A body may be 64 KiB long. What a page of another site has a browser send changes nothing ([architecture.md](architecture.md#trust-boundaries)).',
    '',
    '| Request | What it does | Who may |',
    '| --- | --- | --- |',
    ...rows,
    '',
    'A refusal is `{"error": {"message", "hint", "details", "exitCode"}}`; `exitCode` is the one a command would end with ([exit-codes.md](exit-codes.md)).',
    '',
    '```sh',
    'curl --cacert ca.crt -u ann -H "Content-Type: application/json" \\',
    '  -d \'{"name": "shop", "vcs": "git", "members": {"bob": "developer"}}\' https://127.0.0.1:8443/api/projects',
    '```',
    '',
  ].join('\n');
}
