/** Stands in front of a TCP server: holds what flows one way, so that a caller can be killed right there. */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** `requests`: the server never sees them. `answers`: it does, and the caller does not hear of it. */
type Direction = 'requests' | 'answers';

export interface TcpGate {
  /** `127.0.0.1:<port>` */
  address: string;
  /** From now on what flows this way is held; it is never passed on. */
  freeze: (direction: Direction) => void;
  /** What was held since, as Latin-1. */
  held: () => string;
  /** Holds nothing from now on; connections that miss something are cut. */
  open: () => void;
  stop: () => Promise<void>;
}

export async function startTcpGate(target: string): Promise<TcpGate> {
  const port = Number(target.split(':')[1]);
  const sockets = new Set<Socket>();
  const incomplete = new Set<Socket>();
  let frozen: Direction | undefined;
  let held = '';
  const pass = (from: Socket, to: Socket, direction: Direction): void => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (frozen !== direction) {
        to.write(chunk);
        return;
      }
      held += chunk.toString('latin1');
      incomplete.add(from);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      incomplete.delete(from);
      to.destroy();
    });
  };
  const server = createServer((caller) => {
    const callee = connect(port, '127.0.0.1');
    pass(caller, callee, 'requests');
    pass(callee, caller, 'answers');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    freeze: (direction) => {
      frozen = direction;
    },
    held: () => held,
    open: () => {
      frozen = undefined;
      held = '';
      for (const socket of incomplete) socket.destroy();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
