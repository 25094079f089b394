/** A piece of the log, as request-build takes it: one letter, four bytes of length, the bytes. */
export function logFrame(bytes: Uint8Array): Buffer {
  return frame('l', bytes);
}

/** The end: the code request-build ends with. */
export function exitFrame(code: number): Buffer {
  return frame('e', Buffer.from(String(code), 'latin1'));
}

function frame(kind: 'l' | 'e', bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind, 0, 'latin1');
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
