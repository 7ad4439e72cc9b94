import type { FormObject } from './form.ts';
import { flatten } from './form.ts';

/** Faults of what is in front of Stripe: no key is looked up, no lock taken, nothing saved. */
const edgeKinds = ['rate_limit', 'status', 'html_502', 'drop_before'] as const;
/** Faults of the endpoint: it holds key and lock, and a saved answer is replayed without meeting them. */
const executionKinds = [
  'fail_before',
  'fail_after',
  'error',
  'hang_before',
  'hang_after',
  'drop_after',
  'delay',
] as const;
export const faultKinds = [...edgeKinds, ...executionKinds] as const;
type FaultKind = (typeof faultKinds)[number];

/** What is wanted to go wrong. */
export type FaultSpec = {
  kind: FaultKind;
  /** Exact, or a glob: `*` is one path segment, `**` any number. */
  path: string;
  method?: string | undefined;
  /** A substring of any parameter's value, of the path, or of the idempotency key. */
  match?: string | undefined;
  /** Parameters by their wire names with exact values: `{ 'payload[stripe_customer_id]': 'cus_1' }`. */
  where?: Record<string, string> | undefined;
  /** How many requests it hits; null: until cleared. */
  times: number | null;
  status?: number | undefined;
  code?: string | undefined;
  message?: string | undefined;
  retryAfter?: number | undefined;
  delayMs?: number | undefined;
};

export type Fault = FaultSpec & { id: string; remaining: number | null; hits: number };

export type FaultTarget = {
  method: string;
  path: string;
  params: FormObject;
  idempotencyKey: string | undefined;
};

const maximumSpent = 200;

/** The faults that were asked for, oldest first; a spent one is kept so that its hits can be read. */
export class Faults {
  #faults: Fault[] = [];
  #count = 0;

  add(spec: FaultSpec): Fault {
    this.#count += 1;
    const fault = { ...spec, id: `fault_${this.#count}`, remaining: spec.times, hits: 0 };
    const spent = this.#faults.filter((other) => other.remaining === 0);
    const dropped = spent.length > maximumSpent ? spent[0] : undefined;
    this.#faults = [...this.#faults.filter((other) => other !== dropped), fault];
    return fault;
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  /** Removes one fault, or all. */
  clear(id?: string): void {
    this.#faults = id === undefined ? [] : this.#faults.filter((fault) => fault.id !== id);
  }

  /** The first fault of the stage that applies to a request; it is counted as hit. */
  take(stage: 'edge' | 'execution', target: FaultTarget): Fault | undefined {
    const fault = this.#faults.find(
      (candidate) =>
        candidate.remaining !== 0 && stageOf(candidate.kind) === stage && hits(candidate, target),
    );
    if (fault === undefined) return undefined;
    fault.hits += 1;
    if (fault.remaining !== null) fault.remaining -= 1;
    return fault;
  }
}

function stageOf(kind: FaultKind): 'edge' | 'execution' {
  return (edgeKinds as readonly string[]).includes(kind) ? 'edge' : 'execution';
}

function hits(fault: Fault, target: FaultTarget): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== target.method) return false;
  if (!globToPattern(fault.path).test(target.path)) return false;
  if (fault.match === undefined && fault.where === undefined) return true;
  const leaves = flatten(target.params);
  const { match, where = {} } = fault;
  const values = [target.path, target.idempotencyKey ?? '', ...leaves.map(([, value]) => value)];
  if (match !== undefined && !values.some((value) => value.includes(match))) return false;
  const byName = new Map(leaves);
  return Object.entries(where).every(([name, value]) => byName.get(name) === value);
}

function globToPattern(glob: string): RegExp {
  const pattern = glob
    .split('**')
    .map((part) =>
      part
        .split('*')
        .map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^/]*'),
    )
    .join('.*');
  return new RegExp(`^${pattern}$`);
}
