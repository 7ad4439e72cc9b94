/**
 * What each customer has spent and set aside in a month. Reserving is ONE conditional write: the room
 * is kept as a number of its own (`leftCents`), for a condition cannot add, and the reservation's id
 * stands in the same item, so that a write which the SDK repeats sets nothing aside twice (GA1, GA2).
 */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { mostOpenReservations, roomFor } from '../domain/budgets.ts';
import type { Reservation, UsageCounter } from '../domain/budgets.ts';
import { queryIndexPage, updateIf, updateOrTell } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { shareReads } from './share-reads.ts';
import { tableSchemas } from './schema.ts';

const openSchema = z.object({
  cents: z.number().int(),
  token: z.string(),
  /** Requests that rely on it: the one that made it, and those that were repeated since. */
  holders: z.number().int(),
  at: z.string(),
  /** Of the request: the same id with another one is refused (GA13). */
  digest: z.string(),
});
export type OpenReservation = z.infer<typeof openSchema>;

const rowSchema = z.object({
  customerId: z.string(),
  period: z.string(),
  usedCents: z.number().int(),
  reservedCents: z.number().int(),
  leftCents: z.number().int(),
  hardLimitCents: z.number().int().exactOptional(),
  softLimitCents: z.number().int().exactOptional(),
  budgetVersion: z.number().int(),
  openCount: z.number().int(),
  /** When the soft limit was passed for the first time. */
  softLimitPassedAt: z.string().exactOptional(),
  open: z.record(z.string(), openSchema),
});
export type CounterRow = z.infer<typeof rowSchema>;

export type Reserved =
  /** `already`: that reservation stands, made by an earlier try or by another request with its id. */
  | { state: 'reserved' | 'already'; counter: UsageCounter; entry: OpenReservation }
  /** `crowded`: more casts are under way than one item may hold. */
  | { state: 'refused' | 'crowded'; counter: UsageCounter }
  /** The month has no counter yet. */
  | { state: 'absent' };

type Foreseen = { state: 'refused'; counter: UsageCounter } | { state: 'already' | 'open' };

export function createUsageCounters(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.usageCounters.name}`;

  async function get(customerId: string, period: string): Promise<CounterRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId, period }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  const getShared = shareReads(async (key) => {
    const [customerId, period] = JSON.parse(key) as [string, string];
    return await get(customerId, period);
  });

  /** What `reserve` would do as the counter stands now. Writes nothing; many who ask at once share a read. */
  async function foresee({
    customerId,
    period,
    reservationId,
    cents,
  }: Omit<Reservation, 'token'>): Promise<Foreseen> {
    const counter = await getShared(JSON.stringify([customerId, period]));
    if (counter?.open[reservationId] !== undefined) return { state: 'already' };
    if (counter === undefined || counter.openCount >= mostOpenReservations)
      return { state: 'open' };
    return counter.leftCents < roomFor(cents) ? { state: 'refused', counter } : { state: 'open' };
  }

  /**
   * Sets cents aside while there is room. Each token is sent once: a repeat by the SDK that arrives when the
   * cast has ended would set it aside again. `force` asks for no room: what was let through while the
   * tables were away is counted all the same (GA5).
   */
  async function reserve(
    reservation: Reservation,
    made: Pick<OpenReservation, 'at' | 'digest'>,
    force = false,
  ): Promise<Reserved> {
    const { customerId, period, reservationId, cents, token } = reservation;
    const entry: OpenReservation = { ...made, cents, token, holders: 1 };
    const { held, row } = await updateOrTell(
      store,
      {
        TableName,
        Key: { customerId, period },
        UpdateExpression:
          'SET leftCents = leftCents - :cents, reservedCents = reservedCents + :cents, ' +
          '#open.#id = :entry, openPeriod = :period ADD openCount :one',
        // A counter that is not there has no leftCents either, and fails the condition.
        ConditionExpression: `${force ? '' : 'leftCents >= :room AND openCount < :most AND '}attribute_exists(leftCents) AND attribute_not_exists(#open.#id)`,
        ExpressionAttributeNames: { '#open': 'open', '#id': reservationId },
        ExpressionAttributeValues: {
          ':cents': cents,
          ':entry': entry,
          ':period': period,
          ':one': 1,
          ...(force ? {} : { ':room': roomFor(cents), ':most': mostOpenReservations }),
        },
      },
      { sendOnce: true },
    );
    if (row === undefined) return { state: 'absent' };
    const counter = rowSchema.parse(row);
    if (held) return { state: 'reserved', counter, entry };
    const before = counter.open[reservationId];
    if (before !== undefined) return { state: 'already', counter, entry: before };
    const crowded = counter.openCount >= mostOpenReservations;
    return { state: crowded ? 'crowded' : 'refused', counter };
  }

  /**
   * Ends a reservation with what the cast really cost, at most what was set aside; `false` when it was
   * ended before. It touches the reservation's own month only, whatever month it is now (GA12). With
   * `only`, as long as that is true: a repeated request may rely on it now.
   */
  async function settle(
    reservation: Reservation,
    usedCents: number,
    only: Partial<Pick<OpenReservation, 'holders' | 'at'>> = {},
  ): Promise<boolean> {
    const { customerId, period, reservationId, cents, token } = reservation;
    if (usedCents < 0 || usedCents > cents) throw new Error('a cast costs at most its reservation');
    const row = await updateIf(store, {
      TableName,
      Key: { customerId, period },
      UpdateExpression:
        'SET usedCents = usedCents + :used, reservedCents = reservedCents - :cents, ' +
        'leftCents = leftCents + :back REMOVE #open.#id ADD openCount :less',
      ConditionExpression: [
        '#open.#id.cents = :cents',
        '#open.#id.#token = :token',
        ...Object.keys(only).map((name) => `#open.#id.#${name} = :${name}`),
      ].join(' AND '),
      ExpressionAttributeNames: {
        '#open': 'open',
        '#id': reservationId,
        '#token': 'token',
        ...Object.fromEntries(Object.keys(only).map((name) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ...Object.fromEntries(Object.entries(only).map(([name, value]) => [`:${name}`, value])),
        ':token': token,
        ':used': usedCents,
        ':cents': cents,
        ':back': cents - usedCents,
        ':less': -1,
      },
    });
    return row !== undefined;
  }

  /** One more request relies on it, from `at` on; `false` when it has ended. */
  async function join(reservation: Reservation, at: string): Promise<boolean> {
    return await changeHolders(reservation, 1, { at });
  }

  /**
   * The request whose cast has certainly not started gives it back: ended when nobody else relies on it.
   * Two that leave at the same moment may both see the other: what then stands is the repair's.
   */
  async function leave(reservation: Reservation): Promise<void> {
    if (await settle(reservation, 0, { holders: 1 })) return;
    await changeHolders(reservation, -1);
  }

  async function changeHolders(
    { customerId, period, reservationId, token }: Reservation,
    by: 1 | -1,
    { at }: { at?: string } = {},
  ): Promise<boolean> {
    const row = await updateIf(store, {
      TableName,
      Key: { customerId, period },
      UpdateExpression: `SET ${at === undefined ? '' : '#open.#id.#at = :at, '}#open.#id.holders = #open.#id.holders + :by`,
      ConditionExpression: '#open.#id.#token = :token',
      ExpressionAttributeNames: {
        '#open': 'open',
        '#id': reservationId,
        '#token': 'token',
        ...(at === undefined ? {} : { '#at': 'at' }),
      },
      ExpressionAttributeValues: {
        ':by': by,
        ':token': token,
        ...(at === undefined ? {} : { ':at': at }),
      },
    });
    return row !== undefined;
  }

  /** `true` once a month: for whoever is to tell of it (GA7). */
  async function passSoftLimit(customerId: string, period: string, at: string): Promise<boolean> {
    const row = await updateIf(store, {
      TableName,
      Key: { customerId, period },
      UpdateExpression: 'SET softLimitPassedAt = :at',
      ConditionExpression: 'attribute_not_exists(softLimitPassedAt) AND attribute_exists(period)',
      ExpressionAttributeValues: { ':at': at },
    });
    return row !== undefined;
  }

  /** Counters of a month that may hold reservations: a page of customer ids, and where to go on. */
  async function openOnes(
    period: string,
    after: string | undefined,
  ): Promise<{ customerIds: string[]; next?: string }> {
    const startKey = { openPeriod: period, period, customerId: after };
    const { Items = [], LastEvaluatedKey } = await queryIndexPage(
      store,
      'usageCounters',
      'openPeriod-index',
      {
        KeyConditionExpression: 'openPeriod = :period',
        ExpressionAttributeValues: { ':period': period },
        ...(after === undefined ? {} : { ExclusiveStartKey: startKey }),
      },
    );
    const customerIds = Items.map((item) => z.string().parse(item['customerId']));
    const next = LastEvaluatedKey === undefined ? undefined : customerIds.at(-1);
    return next === undefined ? { customerIds } : { customerIds, next };
  }

  /** Takes a counter from that list, unless something was reserved since. */
  async function markClosed(customerId: string, period: string): Promise<void> {
    await updateIf(store, {
      TableName,
      Key: { customerId, period },
      UpdateExpression: 'REMOVE openPeriod',
      ConditionExpression: 'openCount = :none',
      ExpressionAttributeValues: { ':none': 0 },
    });
  }

  return { get, foresee, reserve, settle, join, leave, passSoftLimit, openOnes, markClosed };
}
