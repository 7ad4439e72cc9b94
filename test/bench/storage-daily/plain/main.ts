/**
 * The peer of the daily run: a script without Temporal, ten customers at once. One that dies begins
 * again. Arguments: the day, and the file for its figures.
 */
import { writeFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import { createCustomers } from '../../../../tables/customers.ts';
import { readMemory } from '../../support/machine.ts';
import { measureCustomer, tables } from './measure.ts';

const [day = '', answerFile = ''] = process.argv.slice(2);
const customersAtOnce = 10;

const startedMs = performance.now();
const limit = pLimit(customersAtOnce);
const measured: Promise<void>[] = [];
for await (const { customerId } of createCustomers(tables).list()) {
  measured.push(limit(measureCustomer, { day, customerId }));
}
await Promise.all(measured);
const seconds = (performance.now() - startedMs) / 1000;
const { peakBytes } = readMemory(process.pid);
await writeFile(answerFile, JSON.stringify({ seconds, peakBytes }));
process.exit(0);
