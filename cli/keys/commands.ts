/** `durabill keys create | list | rotate | delete`. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { apiKeyScopes, parseApiKeyName, parseApiKeyPrefix } from '../../domain/api-keys.ts';
import type { ApiKey, ApiKeyScope } from '../../domain/api-keys.ts';
import { parseCustomerId } from '../../domain/ids.ts';
import { createKey, deleteKey, rotateKey, usualOverlapHours } from '../../operations/keys.ts';
import type { KeyDependencies, NewKey } from '../../operations/keys.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun } from '../shell/leaf.ts';
import { facts, table, time } from '../shell/output.ts';
import { performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

const columns = ['Prefix', 'Customer', 'Name', 'Scope', 'Created', 'Last used', 'Ends'].map(
  (title) => ({ title }),
);

interface CreateOptions {
  customer: string;
  name?: string;
  scope: ApiKeyScope;
}

interface RotateOptions {
  overlapHours: number;
}

export function addKeys(program: Command): void {
  const keys = noun(
    program,
    'keys',
    'Keys of the guarded API; a key is shown once and kept hashed.',
  );
  leaf(keys, 'create', 'Makes a key and shows it, this once.', [
    'durabill keys create --customer cus_123 --name production',
  ])
    .requiredOption('--customer <id>', 'whose key it is')
    .option('--name <name>', 'what it is for, shown in lists')
    .addOption(
      new Option('--scope <scope>', 'ingest: may send usage, and nothing else')
        .choices(apiKeyScopes)
        .default('cast'),
    )
    .action(async (options: CreateOptions, command: Command) => {
      await performWith(command, create, () => parseOrder(options));
    });
  leaf(keys, 'list', 'Lists keys in force: prefix, name, last use.', ['durabill keys list --json'])
    .option('--customer <id>', 'only this customer’s')
    .action(async ({ customer }: { customer?: string }, command: Command) => {
      await performWith(command, list, () =>
        customer === undefined ? undefined : parseCustomerId(customer),
      );
    });
  leaf(keys, 'rotate <prefix>', 'Makes a new key; the old one ends after the overlap.', [
    'durabill keys rotate dbk_1a2B3c4D --overlap-hours 48',
  ])
    .option('--overlap-hours <hours>', 'both work that long', parseHours, usualOverlapHours)
    .action(async (prefix: string, { overlapHours }: RotateOptions, command: Command) => {
      await performWith(command, rotate(overlapHours), () => parseApiKeyPrefix(prefix));
    });
  leaf(keys, 'delete <prefix>', 'Deletes a key: it stops working at once.', [
    'durabill keys delete dbk_1a2B3c4D',
  ]).action(async (prefix: string, _options: object, command: Command) => {
    await performWith(command, remove, () => parseApiKeyPrefix(prefix));
  });
}

function parseHours(value: string): number {
  if (/^[0-9]{1,3}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be whole hours.');
}

function parseOrder({ customer, name, scope }: CreateOptions) {
  return {
    customerId: parseCustomerId(customer),
    scope,
    ...(name === undefined ? {} : { name: parseApiKeyName(name) }),
  };
}

async function dependencies(context: Context): Promise<KeyDependencies> {
  const { apiKeys, customers } = await context.tables();
  return { apiKeys, customers, now: context.now };
}

async function create(context: Context, order: ReturnType<typeof parseOrder>): Promise<Answer> {
  const made = await createKey(await dependencies(context), order);
  return { json: shown(made), text: `${describe(made)}\n\nIt is not shown again.` };
}

async function list(context: Context, customerId: string | undefined): Promise<Answer> {
  const { apiKeys } = await context.tables();
  const found: ApiKey[] = [];
  const rows = customerId === undefined ? apiKeys.list() : await apiKeys.listOf(customerId);
  for await (const key of rows) found.push(key);
  found.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  return {
    json: found.map(withoutHash),
    text:
      found.length === 0
        ? 'No keys. `durabill keys create --customer cus_…` makes one.'
        : table(
            columns,
            found.map((key) => [
              key.prefix,
              key.customerId,
              key.name ?? '',
              key.scope,
              time(key.createdAt),
              key.lastUsedAt === undefined ? 'never' : time(key.lastUsedAt),
              key.endsAt === undefined ? '' : time(key.endsAt),
            ]),
          ),
  };
}

function rotate(overlapHours: number) {
  return async (context: Context, prefix: string): Promise<Answer> => {
    const made = await rotateKey(await dependencies(context), prefix, { overlapHours });
    const { replaced } = made;
    return {
      json: { ...shown(made), replaced: withoutHash(replaced) },
      text: `${describe(made)}\n\nIt is not shown again. ${replaced.prefix} works until ${time(replaced.endsAt)}.`,
    };
  };
}

async function remove(context: Context, prefix: string): Promise<Answer> {
  const gone = await deleteKey(await dependencies(context), prefix);
  return { json: withoutHash(gone), text: `${prefix} of ${gone.customerId} is deleted.` };
}

function shown({ key, apiKey }: NewKey) {
  return { key, ...withoutHash(apiKey) };
}

function withoutHash({ keyHash: _keyHash, ...told }: ApiKey): Omit<ApiKey, 'keyHash'> {
  return told;
}

function describe({ key, apiKey }: NewKey): string {
  return facts([
    ['key', key],
    ['customer', apiKey.customerId],
    ['name', apiKey.name],
    ['scope', apiKey.scope],
  ]);
}
