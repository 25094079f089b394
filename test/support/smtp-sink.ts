import { createServer, type Socket } from 'node:net';

/** A relay that keeps what it is given: the edge between the appliance and the mail of a firm. */
export interface SmtpSink {
  readonly port: number;
  /** Mails as they arrived, with their envelopes. */
  readonly mails: readonly { readonly from: string; readonly to: readonly string[]; readonly data: string }[];
  /** What it says to the next recipients in place of 250. */
  refuse: string | undefined;
  readonly close: () => Promise<void>;
}

/** Listens on every address of this computer, without TLS. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const mails: { from: string; to: string[]; data: string }[] = [];
  const sink = { port: 0, mails, refuse: undefined as string | undefined, close: async (): Promise<void> => {} };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let mail = { from: '', to: [] as string[], data: '' };
    let isData = false;
    let rest = '';
    const answer = (line: string): string | undefined => {
      if (isData && line !== '.') {
        mail.data += `${line.replace(/^\./, '')}\r\n`;
        return undefined;
      }
      if (isData) {
        isData = false;
        mails.push(mail);
        mail = { from: '', to: [], data: '' };
        return '250 kept';
      }
      switch (line.toUpperCase().split(/[ :]/)[0]) {
        case 'MAIL':
          mail.from = addressIn(line);
          return '250 yes';
        case 'RCPT':
          if (sink.refuse === undefined) mail.to.push(addressIn(line));
          return sink.refuse ?? '250 yes';
        case 'DATA':
          isData = true;
          return '354 go on';
        case 'QUIT':
          return '221 bye';
        default:
          return '250 yes';
      }
    };
    socket.on('error', () => socket.destroy());
    socket.on('data', (part: Buffer) => {
      rest += part.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const said = answer(line);
        if (said !== undefined) socket.write(`${said}\r\n`);
        if (said?.startsWith('221') === true) socket.end();
      }
    });
    socket.write('220 sink\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  sink.port = typeof address === 'object' && address !== null ? address.port : 0;
  sink.close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return sink;
}

const addressIn = (line: string): string => /<(.*)>/.exec(line)?.[1] ?? '';
