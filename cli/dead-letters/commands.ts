/** `durabill dead-letters list | show | redrive | discard`: work that a person must look at. */
import { Option } from 'commander';
import type { Command } from 'commander';
import {
  deadLetterKinds,
  deadLetterStatuses,
  parseDiscardReason,
} from '../../domain/dead-letters.ts';
import type { DeadLetter, DeadLetterKind, DeadLetterStatus } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { printable } from '../../domain/ids.ts';
import { discard } from '../../operations/dead-letters/redrive.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun, parseKey } from '../shell/leaf.ts';
import { count, facts, state, table, time } from '../shell/output.ts';
import { performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { redriveAll, redriveOne } from './redrive.ts';

interface ListOptions {
  kind?: DeadLetterKind;
  status: DeadLetterStatus | 'all';
}
interface RedriveOptions {
  all?: boolean;
  kind?: DeadLetterKind;
}

const kindOption = () => new Option('--kind <kind>', 'of this kind only').choices(deadLetterKinds);
const statuses: readonly ListOptions['status'][] = [...deadLetterStatuses, 'all'];

export function addDeadLetters(program: Command): void {
  const letters = noun(program, 'dead-letters', 'Work laid aside for a person; never dropped.');
  leaf(letters, 'list', 'Lists what waits for a person, oldest first.', [
    'durabill dead-letters list',
    'durabill dead-letters list --kind usage-rejected --status all --json',
  ])
    .addOption(kindOption())
    .addOption(new Option('--status <status>', 'in this state').choices(statuses).default('open'))
    .action(async (options: ListOptions, command: Command) => {
      await performWith(command, list, () => options);
    });
  leaf(letters, 'show <id>', 'Shows one, with the record as it stood.', [
    'durabill dead-letters show usage-rejected/prc_123',
  ]).action(async (id: string, _options: object, command: Command) => {
    await performWith(command, show, () => parseKey(id, 'dead letter'));
  });
  leaf(letters, 'redrive [id]', 'Tries laid-aside work once more: usage, days, bills, events.', [
    'durabill dead-letters redrive usage-rejected/prc_123',
    'durabill dead-letters redrive storage-day/cus_123/2026-11-20',
    'durabill dead-letters redrive webhook-event/evt_123',
    'durabill dead-letters redrive --all --kind usage-parked',
  ])
    .option('--all', 'every open one')
    .addOption(kindOption())
    .action(async (id: string | undefined, options: RedriveOptions, command: Command) => {
      checkRedrive(id, options, command);
      if (id === undefined) await performWith(command, redriveAll, () => options.kind);
      else await performWith(command, redriveOne, () => parseKey(id, 'dead letter'));
    });
  leaf(letters, 'discard <id>', 'Closes one for good; its row and the reason are kept.', [
    'durabill dead-letters discard usage-rejected/prc_123 --reason "test customer, not billed"',
  ])
    .requiredOption('--reason <text>', 'why; for whoever asks later')
    .action(async (id: string, options: { reason: string }, command: Command) => {
      await performWith(command, discardOne, () => ({
        id: parseKey(id, 'dead letter'),
        reason: parseDiscardReason(options.reason),
      }));
    });
}

/** Exactly one of ID and --all; --kind narrows --all only. */
function checkRedrive(id: string | undefined, options: RedriveOptions, command: Command): void {
  const alone = id !== undefined && options.all !== true && options.kind === undefined;
  if (alone || (id === undefined && options.all === true)) return;
  command.error('error: name one dead letter, or --all (with --kind, if wanted)');
}

async function list(context: Context, { kind, status }: ListOptions): Promise<Answer> {
  const { deadLetters } = await context.tables();
  const found: DeadLetter[] = [];
  for await (const letter of deadLetters.list(kind)) {
    if (status === 'all' || letter.status === status) found.push(letter);
  }
  const columns = ['Dead letter', 'Customer', 'Status', 'Since (UTC)', 'Error'];
  const rows = found.map((letter) => [
    letter.id,
    letter.customerId,
    state(letter.status),
    time(letter.createdAt),
    letter.error,
  ]);
  const none = status === 'all' ? 'No dead letter.' : `No ${status} dead letter.`;
  return {
    json: found,
    text:
      found.length === 0
        ? none
        : table(
            columns.map((title) => ({ title })),
            rows,
          ),
  };
}

async function show(context: Context, id: string): Promise<Answer> {
  const { deadLetters } = await context.tables();
  const letter = await deadLetters.get(id);
  if (letter === undefined) {
    throw new BillingError('not_found', `no dead letter "${printable(id)}"`);
  }
  return { json: letter, text: describe(letter) };
}

async function discardOne(
  context: Context,
  { id, reason }: { id: string; reason: string },
): Promise<Answer> {
  const letter = await discard({ ...(await context.tables()), now: context.now }, id, reason);
  return { json: letter, text: `Discarded ${id}: ${reason}` };
}

function aboutOf(letter: DeadLetter): string {
  switch (letter.kind) {
    case 'usage-rejected':
    case 'usage-parked':
    case 'usage-unrecorded':
      return `usage ${letter.subject.identifier}`;
    case 'storage-day':
      return `the snapshot of ${letter.customerId} on ${letter.subject.day}`;
    case 'storage-night':
      return `the snapshots of ${letter.subject.day}`;
    case 'storage-bill':
      return `the storage bill of ${letter.customerId} for ${letter.subject.month}`;
    case 'webhook-event':
      return `the event ${letter.subject.eventId}`;
  }
}

/** The commands that end it, and what each of them says. */
function waysOut(letter: DeadLetter): [name: string, value: string][] {
  const { id } = letter;
  return [
    ['try again', `durabill dead-letters redrive ${id}`],
    ...settlings(letter),
    ['never', `durabill dead-letters discard ${id} --reason TEXT`],
  ];
}

function settlings({ kind, subject }: DeadLetter): [name: string, value: string][] {
  if (kind !== 'usage-parked' && kind !== 'usage-rejected') return [];
  const settle = `durabill usage settle ${subject.identifier}`;
  return [
    ['Stripe has it', `${settle} --as delivered --reason TEXT`],
    ['Stripe has it not', `${settle} --resend --reason TEXT`],
  ];
}

function describe(letter: DeadLetter): string {
  const shown = facts([
    ['dead letter', letter.id],
    ['kind', letter.kind],
    ['status', state(letter.status)],
    ['reason', letter.discardReason ?? letter.settleReason],
    ['about', aboutOf(letter)],
    ['customer', letter.customerId],
    ['error', letter.error],
    ['attempts', count(letter.attempts)],
    ['since', `${time(letter.createdAt)} UTC`],
    ['changed', `${time(letter.updatedAt)} UTC`],
    ...(letter.status === 'open' ? waysOut(letter) : []),
  ]);
  const record = Object.entries(letter.record).map(([name, value]) => [name, plainValue(value)]);
  const columns = [{ title: 'The record as it stood' }, { title: '' }];
  return `${shown}\n\n${table(columns, record)}`;
}

function plainValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
