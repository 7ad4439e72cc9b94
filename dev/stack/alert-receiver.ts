/** Where the stack's alerts arrive (GA16): it verifies each and shows it in one line. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

export interface AlertReceiver {
  stop: () => Promise<void>;
}

const alertSchema = z.object({
  data: z.object({
    id: z.string(),
    customerId: z.string().optional(),
    title: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
});

/** More than any alert has. */
const mostBytes = 64 * 1024;
/** An alert may come twice; those of so long ago do not come any more. */
const mostRemembered = 1000;

export async function startAlertReceiver(options: {
  port: number;
  secret: string;
  /** Told of each alert once. */
  show: (line: string) => void;
}): Promise<AlertReceiver> {
  const verifier = new Webhook(options.secret);
  const seen = new Set<string>();
  const server = createServer((req, res) => {
    const receive = async (): Promise<void> => {
      if (Number(req.headers['content-length'] ?? Infinity) > mostBytes)
        throw new Error('too long');
      const sent = verifier.verify(await text(req), req.headers as Record<string, string>);
      const { data } = alertSchema.parse(sent);
      if (!seen.has(data.id)) options.show(lineOf(data));
      seen.add(data.id);
      const [oldest = ''] = seen;
      if (seen.size > mostRemembered) seen.delete(oldest);
      res.writeHead(204).end();
    };
    receive().catch(() => res.writeHead(401, { connection: 'close' }).end());
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function lineOf({ customerId, title, facts }: z.infer<typeof alertSchema>['data']): string {
  const about = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  const who = customerId === undefined ? [] : [customerId];
  const all = [...who, ...about].join(', ');
  return `Alert: ${title}${all === '' ? '' : ` (${all})`}`;
}
