/** `durabill webhooks show`: an event of the inbox, as it came and as it stands. */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { deadLetterId, printable } from '../../domain/ids.ts';
import { effectOf } from '../../domain/stripe-events.ts';
import type { InboxEvent } from '../../tables/webhook-events.ts';
import type { Context } from '../shell/context.ts';
import { facts, state, time } from '../shell/output.ts';
import { note } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

export async function showEvent(
  context: Context,
  { eventId, withPayload }: { eventId: string; withPayload: boolean },
): Promise<Answer> {
  const { webhookEvents, deadLetters } = await context.tables();
  const event = await webhookEvents.get(eventId);
  if (event === undefined) {
    throw new BillingError(
      'not_found',
      `no event "${printable(eventId)}" in the inbox: it never came (\`durabill webhooks ` +
        'catch-up` asks Stripe), or it came more than 90 days ago',
    );
  }
  const letter = await deadLetters.get(deadLetterId('webhook-event', eventId));
  const { payload: packed, ...row } = event;
  const payload = packed === undefined ? null : await unpack(packed);
  const shown = describe(event, letter);
  return {
    json: { ...row, effect: effectOf(event.type), deadLetter: letter ?? null, payload },
    text: withPayload ? `${shown}\n\n${drawPayload(payload)}` : shown,
  };
}

async function unpack(packed: Uint8Array): Promise<unknown> {
  // Loading the tables takes time that no other command should wait for.
  const { unpackEvent } = await import('../../tables/webhook-events.ts');
  try {
    return unpackEvent(packed);
  } catch (error) {
    note(`its content cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** Control characters are shown as JSON writes them, so that none reaches the terminal. */
function drawPayload(payload: unknown): string {
  if (payload === null) return 'Its content is not kept.';
  return JSON.stringify(payload, null, 2).replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const code = character.charCodeAt(index).toString(16);
      return `\\u${code.padStart(4, '0')}`;
    }).join(''),
  );
}

function describe(event: InboxEvent, letter: DeadLetter | undefined): string {
  const at = (iso: string | undefined) => (iso === undefined ? undefined : `${time(iso)} UTC`);
  return facts([
    ['event', event.eventId],
    ['type', event.type],
    ['effect', effectOf(event.type)],
    ['kind', event.thin ? 'thin: its content is fetched from Stripe' : 'snapshot'],
    ['mode', event.livemode ? 'live' : 'test'],
    ['customer', event.customerId],
    ['object', event.objectId],
    ['status', state(event.status)],
    ['created', at(event.createdAt)],
    ['received', at(event.receivedAt)],
    ['settled', at(event.settledAt)],
    ['error', event.error],
    ['dead letter', letter === undefined ? undefined : `${letter.id}, ${letter.status}`],
    ['next', letter?.status === 'open' ? `durabill dead-letters redrive ${letter.id}` : undefined],
  ]);
}
