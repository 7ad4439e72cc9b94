/** Reads a body as it came, under a cap of our own: signatures are made on the raw bytes. */
import { BillingError } from '../domain/errors.ts';

/** Throws BillingError `too_large` as soon as the cap is passed; nothing more is read then. */
export async function readRawBody(request: Request, mostBytes: number): Promise<Buffer> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > mostBytes) throw tooLarge(mostBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (request.body === null) return Buffer.alloc(0);
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge(mostBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(mostBytes: number): BillingError {
  return new BillingError('too_large', `the body is larger than ${mostBytes} bytes`);
}
