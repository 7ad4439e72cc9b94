/** A receiver of alerts: a real HTTP server that verifies each with the library of Standard Webhooks. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

export const receiverSecret = `whsec_${Buffer.from('a secret of thirty-two characters').toString('base64')}`;

const bodySchema = z.strictObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.strictObject({
    id: z.string(),
    kind: z.string(),
    customerId: z.string().optional(),
    title: z.string(),
    action: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
});

interface Received {
  /** Its webhook-id. */
  id: string;
  path: string | undefined;
  method: string | undefined;
  headers: IncomingHttpHeaders;
  text: string;
  body: z.infer<typeof bodySchema>;
}

export interface TestReceiver {
  url: string;
  /** What came and was signed by the secret, in order. */
  received: Received[];
  /** How each is answered, until it is set anew; left unanswered when it answers nothing. */
  answer: (response: ServerResponse, one: Received) => void;
  stop: () => Promise<void>;
}

export async function startTestReceiver(secret = receiverSecret): Promise<TestReceiver> {
  const verifier = new Webhook(secret);
  const server = createServer((req, res) => {
    const handle = async (): Promise<void> => {
      const sent = await text(req);
      const headers = req.headers as Record<string, string>;
      const body = bodySchema.parse(verifier.verify(sent, headers));
      const { url: path, method } = req;
      const one = {
        id: headers['webhook-id'] ?? '',
        path,
        method,
        headers: req.headers,
        text: sent,
        body,
      };
      receiver.received.push(one);
      receiver.answer(res, one);
    };
    handle().catch(() => res.writeHead(401).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const receiver: TestReceiver = {
    url: `http://127.0.0.1:${port}/alerts`,
    received: [],
    answer: (response) => response.writeHead(204).end(),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
