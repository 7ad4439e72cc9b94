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

  test.each([
    [undefined, true],
    ['2026-11-25T09:00:00.000Z', true],
    ['2026-11-25T11:00:00.000Z', false],
  ])(
    'WH14 a record redriven at %s: a report of ten o’clock tells of its delivery: %s',
    (retryingSince, tells) => {
      expect(tellsOfDelivery('2026-11-25T10:00:00.000Z', { retryingSince })).toBe(tells);
    },
  );
});
