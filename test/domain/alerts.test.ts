import { describe, expect, test } from 'vitest';
import {
  alertBody,
  alertKinds,
  alertOf,
  alertPatienceMs,
  alertWaitMs,
  alertWindowMs,
  lineOfNobody,
  readAnswer,
} from '../../domain/alerts.ts';
import type { AlertKind, RaisedAlert } from '../../domain/alerts.ts';

const at = (time: string) => new Date(`2026-11-26T${time}Z`);
const failed = (customerId: string | undefined): RaisedAlert => ({
  kind: 'payment_failed',
  customerId,
  facts: { invoiceId: 'in_1' },
});

describe('GA16 one for each kind, customer and five minutes', () => {
  test('GA16 the id is made of the window, the kind and whose it is', () => {
    expect(alertOf(failed('cus_1'), at('06:44:59.999'))).toStrictEqual({
      line: 'cus_1',
      alertId: 'alert_20261126T0640Z_payment_failed_cus_1',
      kind: 'payment_failed',
      facts: { invoiceId: 'in_1' },
      raisedAt: '2026-11-26T06:44:59.999Z',
    });
    expect(alertWindowMs).toBe(300_000);
  });

  test.each([
    ['the same window', failed('cus_1'), at('06:40:00.000'), true],
    ['other facts', { ...failed('cus_1'), facts: {} } as RaisedAlert, at('06:44:00.000'), true],
    ['the next window', failed('cus_1'), at('06:45:00.000'), false],
    ['another customer', failed('cus_2'), at('06:44:00.000'), false],
    ['no customer', failed(undefined), at('06:44:00.000'), false],
    ['another kind', { ...failed('cus_1'), kind: 'dead_letter_opened' }, at('06:44:00.000'), false],
  ] as [string, RaisedAlert, Date, boolean][])('%s', (_name, other, when, isSame) => {
    const first = alertOf(failed('cus_1'), at('06:42:00.000'));
    const second = alertOf(other, when);
    const same = first.alertId === second.alertId && first.line === second.line;
    expect(same).toBe(isSame);
  });

  test('GA16 what is of no customer stands in one line, whoever it was raised for', () => {
    const halted = { kind: 'delivery_halted', customerId: 'cus_1', facts: {} } as const;
    expect(alertOf(halted, at('06:40:00.000')).line).toBe(lineOfNobody);
    expect(alertOf(failed('none'), at('06:40:00.000')).line).toBe(lineOfNobody);
    expect(alertOf(failed('anna@example.com'), at('06:40:00.000')).line).toBe(lineOfNobody);
  });
});

const kinds = Object.keys(alertKinds) as AlertKind[];

describe('GA16 I10 what is said outside', () => {
  test('GA16 the body: its type, its time, and what a person should do', () => {
    const alert = alertOf(failed('cus_1'), at('06:44:59.999'));
    expect(JSON.parse(alertBody(alert))).toStrictEqual({
      type: 'alert.payment_failed',
      timestamp: '2026-11-26T06:44:59.999Z',
      data: {
        id: 'alert_20261126T0640Z_payment_failed_cus_1',
        kind: 'payment_failed',
        customerId: 'cus_1',
        title: 'a payment failed',
        action: 'Stripe tries again by its own schedule. See durabill customers show.',
        facts: { invoiceId: 'in_1' },
      },
    });
  });

  test.each(kinds)('GA16 I10 %s: named facts that are ids or figures, and nothing else', (kind) => {
    const said = [
      'anna@example.com',
      'Anna Berg, Main Street 1',
      'sk_live_abcdef',
      'whsec_abcdef',
      'dbk_abcdef',
      'a'.repeat(201),
      '',
      1.5,
    ];
    const [name = 'unnamed'] = alertKinds[kind].facts;
    for (const value of said) {
      const raised = {
        kind,
        customerId: 'cus_1',
        facts: { [name]: value, email: 'fine', other: 'anna@example.com' },
        note: 'anna@example.com',
      } as unknown as RaisedAlert;
      const alert = alertOf(raised, at('06:40:00.000'));
      expect(alert.facts).toStrictEqual({});
      const body = alertBody(alert);
      expect(body.length).toBeLessThan(600);
      expect(body).not.toMatch(/anna|_live_|whsec|dbk_/i);
    }
  });

  test('GA16 ids, times and figures of each kind go out as they are', () => {
    const values = ['usage-rejected/prc_1', '2026-11-26T06:40:00.000Z', 12];
    for (const kind of kinds) {
      const facts = Object.fromEntries(
        alertKinds[kind].facts.map((name, index) => [name, values[index % values.length] ?? '']),
      );
      const raised = { kind, facts } as RaisedAlert;
      expect(alertOf(raised, at('06:40:00.000')).facts).toStrictEqual(facts);
    }
  });
});

describe('GA16 for three days', () => {
  test.each([
    ['at once', '2026-11-26T06:00:00.000Z', 259_200_000],
    ['a day later', '2026-11-27T06:00:00.000Z', 172_800_000],
    ['to the last moment', '2026-11-29T06:00:00.000Z', 0],
    ['long after', '2027-11-29T06:00:00.000Z', 0],
  ])('%s', (_name, now, left) => {
    expect(alertPatienceMs({ raisedAt: '2026-11-26T06:00:00.000Z' }, new Date(now))).toBe(left);
  });

  test('GA16 waits grow to an hour; a receiver may ask for more, up to six', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 1000].map((tries) => alertWaitMs(tries));
    const hour = 3_600_000;
    expect(waits).toStrictEqual([5000, 25_000, 125_000, 625_000, 3_125_000, hour, hour, hour]);
    expect(alertWaitMs(1, 60_000)).toBe(60_000);
    expect(alertWaitMs(6, 60_000)).toBe(hour);
    expect(alertWaitMs(1, 10 ** 12)).toBe(6 * hour);
  });

  test.each([
    ['taken', [200, 201, 202, 204, 299]],
    ['gone', [410]],
    ['refused', [0, 100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 503]],
  ] as const)('GA16 an answer is %s', (meaning, statuses) => {
    expect(statuses.map((status) => readAnswer(status))).toStrictEqual(statuses.map(() => meaning));
  });
});
