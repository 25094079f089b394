import { connect } from 'node:net';

/** Sends raw text to a socket and returns the values in the lines that come back, until the other side closes or `count` came. */
export async function exchanged(socket: string, text: string, count: number): Promise<unknown[]> {
  const connection = connect(socket);
  let got = '';
  connection.on('data', (part) => {
    got += part.toString('utf8');
    if (got.split('\n').length > count) connection.end();
  });
  connection.on('error', () => connection.destroy());
  connection.write(text);
  await new Promise((resolve) => connection.once('close', resolve));
  return got
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}
