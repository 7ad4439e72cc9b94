/**
 * Between a worker and DynamoDB or S3, for a run in which calls are counted and nothing is timed: what
 * the client really sent, retries included. DynamoDB is asked what each call consumed.
 */
import { createServer, request as send } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { BenchmarkContext } from './benchmark.ts';
import type { BenchStack } from './stack.ts';

export interface CallCount {
  /** By "GetItem storage-usage-daily" and "ListObjectsV2": calls and capacity units. */
  calls: Map<string, { calls: number; units: number }>;
}

const capacitySchema = z.object({ CapacityUnits: z.number() });
const answerSchema = z.object({
  ConsumedCapacity: z.union([capacitySchema, z.array(capacitySchema)]).optional(),
});
const orderSchema = z.looseObject({ TableName: z.string().optional() });

/** Starts both; a worker that is given these variables has its calls counted. */
export async function startCounting(
  { onEnd }: BenchmarkContext,
  stack: BenchStack,
): Promise<{ env: Record<string, string>; count: CallCount }> {
  const count: CallCount = { calls: new Map() };
  const listen = async (target: string): Promise<string> => {
    const server = createServer((incoming, outgoing) => {
      forward(new URL(target), incoming, outgoing, count).catch((error: unknown) => {
        outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onEnd('counting proxy', () => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port to count on');
    return `http://127.0.0.1:${address.port}`;
  };
  const [dynamodb, objects] = [stack.env['DYNAMODB_ENDPOINT'], stack.env['S3_ENDPOINT']];
  if (dynamodb === undefined || objects === undefined) throw new Error('no endpoints to count');
  const env = { DYNAMODB_ENDPOINT: await listen(dynamodb), S3_ENDPOINT: await listen(objects) };
  return { env, count };
}

async function forward(
  target: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  count: CallCount,
): Promise<void> {
  const operation = incoming.headers['x-amz-target'];
  let body = await readAll(incoming);
  let name = nameObjectCall(incoming);
  if (typeof operation === 'string') {
    const order = orderSchema.parse(JSON.parse(body.toString()));
    name = `${operation.split('.').at(-1) ?? ''} ${order.TableName ?? ''}`.trim();
    body = Buffer.from(JSON.stringify({ ...order, ReturnConsumedCapacity: 'TOTAL' }));
  }
  const answer = await passOn(target, incoming, body);
  const units = typeof operation === 'string' ? consumed(answer.body) : 0;
  const before = count.calls.get(name) ?? { calls: 0, units: 0 };
  count.calls.set(name, { calls: before.calls + 1, units: before.units + units });
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

/** The host header stays as it was signed. */
async function passOn(target: URL, { method, url, headers }: IncomingMessage, body: Buffer) {
  return await new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>(
    (resolve, reject) => {
      const { hostname, port } = target;
      const length = body.length > 0 ? { 'content-length': body.length } : {};
      const call = send(
        { hostname, port, method, path: url, headers: { ...headers, ...length } },
        (answer) => {
          readAll(answer).then((answered) => {
            resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: answered });
          }, reject);
        },
      );
      call.on('error', reject);
      call.end(body);
    },
  );
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(z.instanceof(Buffer).parse(part));
  return Buffer.concat(parts);
}

function nameObjectCall({ method = '', url = '' }: IncomingMessage): string {
  if (url.includes('list-type=2')) return 'ListObjectsV2';
  return `${method[0] ?? ''}${method.slice(1).toLowerCase()}Object`;
}

/** A failed call tells of nothing; it is counted with no units. */
function consumed(body: Buffer): number {
  const { ConsumedCapacity } = answerSchema.parse(JSON.parse(body.toString()));
  return [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
}
