import { createConnection } from 'node:net';
import { startTool } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

/** In memory only: what a test or a demo counts need not outlive it. */
const FLAGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];

/** Valkey, whose protocol and commands are those of Redis. */
export async function startValkey(options: StartOptions): Promise<RunningServer> {
  return await startTool('valkey', 'valkey', options, (port) => ({
    args: [...FLAGS, '--port', String(port)],
    env: {},
    probe: async () => await answersPing(port),
  }));
}

async function answersPing(port: number): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 2000 });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString() === '+PONG\r\n');
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer to PING')));
    socket.once('error', reject);
  });
}
