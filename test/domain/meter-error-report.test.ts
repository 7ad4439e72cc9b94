import { describe, expect, test } from 'vitest';
import { readMeterErrorReport, tellsOfDelivery } from '../../domain/meter-error-report.ts';

const sample = (identifier: string) => ({ error_message: 'gone', request: { identifier } });

describe('WH14 a report of wrong meter events', () => {
  test('WH14 fifty counted and ten named: forty are not named', () => {
    const samples = Array.from({ length: 10 }, (_, index) => sample(`job-${index}`));
    const data = {
      reason: {
        error_count: 50,
        error_types: [{ code: 'no_meter', error_count: 50, sample_errors: samples }],
      },
      validation_start: '2026-11-25T10:00:00.000Z',
      validation_end: '2026-11-25T10:00:10.000Z',
    };
    const report = readMeterErrorReport(data);
    expect(report.unnamed).toBe(40);
    expect(report.named).toHaveLength(10);
    expect(report.named[0]).toEqual({ key: 'job-0', reason: 'no_meter gone' });
    expect([report.from, report.to]).toEqual([data.validation_start, data.validation_end]);
  });

  test.each([
    [undefined, 0, 0],
    [{}, 0, 0],
    [{ reason: { error_types: [{ sample_errors: [sample('a')] }] } }, 1, 0],
    [{ reason: { error_count: 1, error_types: [{ sample_errors: [{ request: {} }] }] } }, 0, 1],
    [{ reason: { error_types: [{ error_count: 3, sample_errors: [sample('a')] }] } }, 1, 2],
  ])('WH14 %j names %i and leaves %i out', (data, named, unnamed) => {
    const report = readMeterErrorReport(data);
    expect([report.named.length, report.unnamed]).toEqual([named, unnamed]);
  });

  const hour = (at: number) => `2026-11-25T${String(at).padStart(2, '0')}:00:00.000Z`;
  test.each([
    ['never redriven, taken at eleven by our clock', undefined, 'answer', 11, true],
    ['redriven before the report', 9, 'answer', 11, true],
    ['redriven since, and taken anew', 11, 'answer', 12, false],
    ['redriven since, and taken anew in the same moment', 11, 'answer', 11, false],
    ['redriven since, for another of its events', 11, 'answer', 8, true],
    ['redriven since, and already there', 11, 'already-there', 12, true],
    ['redriven since, and in Stripe’s sums', 11, 'sums', 12, true],
    ['redriven since, and settled by a person', 11, 'person', 12, true],
  ] as const)('DL17 WH14 %s', (_what, redriven, by, at, tells) => {
    const provenBy = { 2: { by, at: hour(at) }, 1: { by: 'answer' as const, at: hour(23) } };
    const since = redriven === undefined ? {} : { retryingSince: hour(redriven) };
    expect(tellsOfDelivery(hour(10), 2, { ...since, provenBy })).toBe(tells);
  });

  test('DL17 WH14 redriven since, and not there yet: what is in doubt is what it tells of', () => {
    expect(tellsOfDelivery(hour(10), 1, { retryingSince: hour(11) })).toBe(true);
  });
});
