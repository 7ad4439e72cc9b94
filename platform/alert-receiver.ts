/** The receiver of alerts, over HTTP: signed by Standard Webhooks, bounded in time, never redirected (GA16). */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Webhook } from 'standardwebhooks';
import type { Config } from './config.ts';
import { guardedLookup, hostOf, isForbiddenAddress } from './outside-address.ts';
import type { Resolve } from './outside-address.ts';

interface ReceiverAnswer {
  status: number;
  /** From its Retry-After. */
  retryAfterMs?: number;
}

export interface AlertReceiver {
  /** Its answer, whatever that says; throws when there was none. The same id over all tries of a message. */
  post: (message: { id: string; body: string }) => Promise<ReceiverAnswer>;
}

interface ReceiverOptions {
  url: string;
  /** Several while a secret is rotated: each signs. */
  secrets: readonly string[];
  timeoutMs?: number;
  resolve?: Resolve;
}

/** The whole call, from the name's resolution to the first line of the answer. */
const usualTimeoutMs = 10_000;
/** An answer's headers end there; its body is never read. */
const mostHeaderBytes = 16 * 1024;

/** Undefined when no address is set: then an alert is a log line and a metric. */
export function createAlertReceiver(config: Config): AlertReceiver | undefined {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret } = config;
  if (url === undefined || secret === undefined) return undefined;
  return createReceiver({ url, secrets: secret.split(',') });
}

export function createReceiver(options: ReceiverOptions): AlertReceiver {
  const url = new URL(options.url);
  const signers = options.secrets.map((secret) => new Webhook(secret));
  const lookup = guardedLookup(options.resolve);
  const { timeoutMs = usualTimeoutMs } = options;

  async function post({ id, body }: { id: string; body: string }): Promise<ReceiverAnswer> {
    // A socket asks no lookup for what is an address already.
    if (isForbiddenAddress(hostOf(url))) {
      throw new Error('ALERT_WEBHOOK_URL is a link-local or metadata address');
    }
    // The machine's time, which is the receiver's as well, whatever our own clock is set to.
    const now = new Date();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'durabill',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, now, body)).join(' '),
    };
    return await new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const sent = send(
        url,
        {
          method: 'POST',
          headers,
          lookup,
          signal,
          agent: false,
          maxHeaderSize: mostHeaderBytes,
        },
        (answer) => {
          const { statusCode: status = 0, headers: answered } = answer;
          answer.destroy();
          resolve({ status, ...readRetryAfter(answered['retry-after'], now) });
        },
      );
      sent.on('error', (error) => {
        reject(signal.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error);
      });
      sent.end(body);
    });
  }

  return { post };
}

/** Seconds or a date (RFC 9110). */
function readRetryAfter(value: string | undefined, now: Date): { retryAfterMs?: number } {
  if (value === undefined) return {};
  const ms = /^[0-9]+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: ms } : {};
}
