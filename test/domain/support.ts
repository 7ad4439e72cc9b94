/** Shared by the tests of domain/: a record to vary, and what a refusal said. */
import fc from 'fast-check';
import { BillingError } from '../../domain/errors.ts';
import type { UsageRecord } from '../../domain/usage.ts';

export const noon = '2026-11-21T12:00:00.000Z';
export const noonMs = Date.parse(noon);

export function usageRecord(facts: Partial<UsageRecord> = {}): UsageRecord {
  return {
    identifier: 'job-1',
    customerId: 'cus_1',
    meter: 'file_processed',
    quantity: '1024',
    occurredAt: noon,
    source: { kind: 'processing', id: 'job-1' },
    recordedAt: noon,
    state: 'pending',
    attempts: 0,
    rounds: 0,
    freshKey: false,
    life: [],
    ...facts,
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Code and message of the BillingError that `run` throws; any other outcome is thrown on. */
export function refusalOf(run: () => unknown): { code: string; message: string } {
  let answer: unknown;
  try {
    answer = run();
  } catch (error) {
    if (error instanceof BillingError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`it was not refused but answered ${JSON.stringify(answer)}`);
}

/** Any text at all, lone surrogates included; quicker than fast-check's own, which lists all of Unicode. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const unit = fc.oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0xffff }));
  return fc.array(unit, { maxLength }).map((units) => String.fromCharCode(...units));
}
