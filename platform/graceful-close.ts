/** Ends an HTTP server without waiting for callers who want nothing. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * To be asked before the server takes its first request. What it returns stops listening, lets the requests
 * under way be answered for `patienceMs`, and closes every other connection at once: Node's own `close` waits
 * for one that was opened and has said nothing for as long as it stays open. It tells how many requests
 * were cut off.
 */
export function gracefulClose(server: Server): (patienceMs: number) => Promise<number> {
  const sockets = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  let isClosing = false;
  const closeQuiet = (): void => {
    const busy = new Set([...underWay].map(({ req }) => req.socket));
    // What is written already still goes out.
    for (const socket of sockets) if (!busy.has(socket)) socket.destroySoon();
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isClosing) socket.destroySoon();
  });
  server.on('request', (_req, res) => {
    underWay.add(res);
    res.once('close', () => {
      underWay.delete(res);
      if (isClosing) closeQuiet();
    });
  });
  return async (patienceMs) => {
    isClosing = true;
    let cut = 0;
    const timer = setTimeout(() => {
      cut = underWay.size;
      server.closeAllConnections();
    }, patienceMs);
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    closeQuiet();
    await closed;
    clearTimeout(timer);
    return cut;
  };
}
