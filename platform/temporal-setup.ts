/** What Temporal must have before the first workflow: search attributes. */
import { isGrpcServiceError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { BillingError } from '../domain/errors.ts';
import { searchAttributes } from '../domain/temporal-names.ts';

/** temporal.api.enums.v1.IndexedValueType */
const indexedValueTypes: Record<'KEYWORD' | 'INT', number> = { KEYWORD: 2, INT: 3 };
/** google.rpc.Code */
const grpcCodes = { alreadyExists: 6, permissionDenied: 7, unimplemented: 12 };
const deadlineMs = 8000;

export interface SearchAttributeResult {
  name: string;
  outcome: 'created' | 'present' | 'differs' | 'missing';
  detail?: string;
}

/** Registers what is missing. One that is there with another type is reported, never changed. */
export async function ensureSearchAttributes(client: Client): Promise<SearchAttributeResult[]> {
  const found = await inspectSearchAttributes(client);
  const missing = found.filter(({ outcome }) => outcome === 'missing').map(({ name }) => name);
  if (missing.length === 0) return found;
  try {
    await client.withDeadline(
      Date.now() + deadlineMs,
      async () =>
        await client.connection.operatorService.addSearchAttributes({
          namespace: client.options.namespace,
          searchAttributes: Object.fromEntries(missing.map((name) => [name, wantedType(name)])),
        }),
    );
  } catch (error) {
    if (isRefused(error)) throw byHand(client.options.namespace, missing);
    // Another set-up was quicker.
    if (grpcCode(error) !== grpcCodes.alreadyExists) throw error;
  }
  return found.map((one) => (one.outcome === 'missing' ? { ...one, outcome: 'created' } : one));
}

/** Changes nothing. Where the operator's service is closed (Temporal Cloud) each name is tried in a query. */
export async function inspectSearchAttributes(
  client: Client,
  timeoutMs = deadlineMs,
): Promise<SearchAttributeResult[]> {
  const { namespace } = client.options;
  let types: Record<string, number>;
  try {
    const listed = await client.withDeadline(
      Date.now() + timeoutMs,
      async () => await client.connection.operatorService.listSearchAttributes({ namespace }),
    );
    types = listed.customAttributes as Record<string, number>;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return await Promise.all(
      names().map(async (name) => await tryInQuery(client, name, timeoutMs)),
    );
  }
  return names().map((name) => {
    const type = types[name];
    if (type === undefined) return { name, outcome: 'missing' };
    if (type === wantedType(name)) return { name, outcome: 'present' };
    const detail = `it is registered with type ${type}, not ${wantedType(name)} (${typeName(name)})`;
    return { name, outcome: 'differs', detail };
  });
}

async function tryInQuery(
  client: Client,
  name: string,
  timeoutMs: number,
): Promise<SearchAttributeResult> {
  try {
    await client.withDeadline(
      Date.now() + timeoutMs,
      async () => await client.workflow.count(`${name} IS NOT NULL`),
    );
    return { name, outcome: 'present' };
  } catch (error) {
    if (grpcCode(error) !== 3) throw error;
    return { name, outcome: 'missing' };
  }
}

function byHand(namespace: string, missing: readonly string[]): BillingError {
  const flags = missing.map((name) => `--search-attribute "${name}=${typeName(name)}"`).join(' ');
  return new BillingError(
    'forbidden',
    `namespace ${namespace} does not let us add search attributes (Temporal Cloud does not). Add by ` +
      `hand: tcld namespace search-attributes add --namespace ${namespace} ${flags}`,
  );
}

function names(): (keyof typeof searchAttributes)[] {
  return Object.keys(searchAttributes) as (keyof typeof searchAttributes)[];
}

function wantedType(name: string): number {
  return indexedValueTypes[searchAttributes[name as keyof typeof searchAttributes]];
}

function typeName(name: string): string {
  return searchAttributes[name as keyof typeof searchAttributes] === 'INT' ? 'Int' : 'Keyword';
}

function isRefused(error: unknown): boolean {
  const code = grpcCode(error);
  return code === grpcCodes.permissionDenied || code === grpcCodes.unimplemented;
}

function grpcCode(error: unknown): number | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (isGrpcServiceError(current)) return current.code;
    current = current.cause;
  }
  return undefined;
}
