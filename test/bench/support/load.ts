/** Load: by the clock, whether or not what came before was answered, or as fast as it is answered. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { concurrently } from './concurrently.ts';

/** A POST of JSON. */
export interface Posted {
  body: string;
  headers: Readonly<Record<string, string>>;
}

export interface Answer<Arrival extends Posted = Posted> {
  arrival: Arrival;
  /** 0: there was none. */
  status: number;
  /** From when it was due, not from when it was sent: waiting for a socket counts. */
  tookMs: number;
  /** How late this script was in sending it. */
  lateMs: number;
}

/** More than are ever under way below overload. */
const mostSockets = 512;
const patienceMs = 30_000;

/** Sends them evenly at a rate and returns when all are answered, in their order. */
export async function sendAtRate<Arrival extends Posted>(
  url: string,
  arrivals: readonly Arrival[],
  perSecond: number,
  signal: AbortSignal,
): Promise<Answer<Arrival>[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: mostSockets });
  const underWay: Promise<Answer<Arrival>>[] = [];
  const startMs = performance.now();
  const send = async (arrival: Arrival, dueMs: number): Promise<Answer<Arrival>> => {
    const lateMs = performance.now() - dueMs;
    const status = await post(agent, url, arrival);
    return { arrival, status, tookMs: performance.now() - dueMs, lateMs };
  };
  try {
    for (const [index, arrival] of arrivals.entries()) {
      const dueMs = startMs + (index * 1000) / perSecond;
      while (performance.now() < dueMs) await sleep(1, undefined, { signal });
      underWay.push(send(arrival, dueMs));
    }
    return await Promise.all(underWay);
  } finally {
    agent.destroy();
  }
}

/** Sends the next one when one is answered, so many at once; returns when all are answered. */
export async function sendFlood<Arrival extends Posted>(
  url: string,
  arrivals: readonly Arrival[],
  atOnce: number,
  signal: AbortSignal,
): Promise<Answer<Arrival>[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const answers: Answer<Arrival>[] = [];
  try {
    await concurrently(arrivals, atOnce, signal, async (arrival) => {
      const startMs = performance.now();
      const status = await post(agent, url, arrival);
      answers.push({ arrival, status, tookMs: performance.now() - startMs, lateMs: 0 });
    });
    return answers;
  } finally {
    agent.destroy();
  }
}

/** The answer's status; 0 when the connection broke or nothing came for long. */
async function post(agent: Agent, url: string, { body, headers }: Posted): Promise<number> {
  return await new Promise((resolve) => {
    const sent = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    };
    const call = request(url, { method: 'POST', agent, headers: sent }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', () => resolve(0));
    });
    call.setTimeout(patienceMs, () => call.destroy());
    call.once('error', () => resolve(0));
    call.end(body);
  });
}
