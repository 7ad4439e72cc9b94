/** Customers and their objects, and what each of them must come to. */
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { inputPrefix, outputPrefix } from '../../../domain/files.ts';
import { createCustomers } from '../../../tables/customers.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { concurrently } from '../support/concurrently.ts';
import type { BenchStack } from '../support/stack.ts';

/** One customer in so many has many objects: the load per customer is the same at every size. */
const bigOneIn = 1000;
const bigObjects = 3000;
const smallInputs = 3;
const smallOutputs = 2;
const filesAtOnce = 32;

export interface Expected {
  inputBytes: bigint;
  outputBytes: bigint;
  inputFiles: number;
  outputFiles: number;
}

/** By customer. */
export type Layout = Map<string, Expected>;

/** Spread over the alphabet, as Stripe's ids are; each is a prefix of none but itself. */
function customerIdAt(index: number): string {
  const mixed = Math.imul(index + 1, 0x9e3779b1) >>> 0;
  return `cus_${mixed.toString(36).padStart(7, '0')}n${index}`;
}

/** The customers up to `upTo` that are not there yet. */
export async function addCustomers(
  { signal, progress }: BenchmarkContext,
  stack: BenchStack,
  layout: Layout,
  folder: string,
  upTo: number,
): Promise<void> {
  progress(`laying out ${upTo} customers and their objects …`);
  const customers = createCustomers(stack.tables);
  const indexes = Array.from({ length: upTo - layout.size }, (_, more) => layout.size + more);
  await concurrently(indexes, filesAtOnce, signal, async (index) => {
    const customerId = customerIdAt(index);
    await customers.add({
      customerId,
      plan: 'free',
      billingStatus: 'none',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    const isBig = index % bigOneIn === bigOneIn / 20;
    const inputs = isBig ? (bigObjects * smallInputs) / (smallInputs + smallOutputs) : smallInputs;
    const outputs = isBig ? bigObjects - inputs : smallOutputs;
    layout.set(customerId, {
      inputBytes: await writeFiles(path.join(folder, inputPrefix(customerId)), index, inputs),
      outputBytes: await writeFiles(path.join(folder, outputPrefix(customerId)), index, outputs),
      inputFiles: inputs,
      outputFiles: outputs,
    });
  });
}

/**
 * Objects as files in the folder that the S3 server serves: the same listing in a fraction of the time.
 * They are sparse, so that their sizes cost nothing. Returns their bytes.
 */
async function writeFiles(folder: string, seed: number, files: number): Promise<bigint> {
  await mkdir(folder, { recursive: true });
  let bytes = 0n;
  for (let file = 0; file < files; file += 1) {
    const size = (Math.imul(seed + 7, 2_654_435_761) + Math.imul(file, 40_503)) & 0x3f_ffff;
    const handle = await open(path.join(folder, `${file}.dat`), 'w');
    await handle.truncate(size);
    await handle.close();
    bytes += BigInt(size);
  }
  return bytes;
}
