import net from 'node:net';
import { BillingError } from '../../domain/errors.ts';

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Fails after 3 s when nobody can be reached at the URL's host: on a machine without internet the next
 * way must have its turn soon, and some networks swallow what they do not let through.
 */
export async function requireReachable(url: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const standard = protocol === 'https:' ? 443 : 80;
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect({ host: hostname, port: port === '' ? standard : Number(port) });
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new BillingError('unavailable', `${hostname} cannot be reached (${reason})`));
    };
    const timer = setTimeout(() => {
      fail(`no connection within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    socket.once('error', (error) => {
      fail(error.message);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
  });
}
