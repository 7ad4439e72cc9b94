/** Does anything listen at an address? */
import { connect } from 'node:net';

/** Resolves when `host:port` takes a connection; rejects when it refuses or is silent. */
export async function probe(address: string, patienceMs: number): Promise<void> {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:([0-9]+)$/.exec(address) ?? [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: patienceMs });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => {
      socket.destroy(new Error(`${address} is silent`));
    });
    socket.once('error', reject);
  });
}
