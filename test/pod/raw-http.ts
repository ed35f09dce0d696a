import { connect } from 'node:net';

/** Sends the bytes as they are, which no HTTP client does, and reads until the server closes. */
export function sendRaw(port: number, text: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(60_000, () => socket.destroy(new Error(`no answer to ${JSON.stringify(text)}`)));
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    // A server that answers before it has read everything resets the connection after its answer.
    socket.on('error', (error) => {
      if (answer === '') reject(error);
    });
    socket.on('close', () => {
      const [head = '', ...rest] = answer.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), body: rest.join('\r\n\r\n') });
    });
  });
}
