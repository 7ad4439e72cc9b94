/** The conditional updates of a row of the usage ledger. */
import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { lengthen, lifeLine, mostLines } from '../domain/life.ts';
import type { DeliveryState, UsageRecord } from '../domain/usage.ts';

export type ConditionalUpdate = Omit<UpdateCommandInput, 'TableName'> & {
  ConditionExpression: string;
};

/** One step in a record's delivery: what is set and removed, which count goes up, and its line in `life`. */
export interface Step {
  now: string;
  what: string;
  set: Record<string, unknown>;
  /** Set only where there is nothing yet. */
  setOnce?: Record<string, unknown>;
  remove?: string[];
  count?: 'attempts' | 'rounds';
  /** Only when the row is as it was read: no call was begun since, and no refusal was heard of. */
  as?: UsageRecord;
}

/** An error that is kept is short: the row has no room for a page of HTML. */
const longestText = 1000;

/**
 * The conditional update of one step, with its line at the end of `life`. It holds only while there is
 * room in it, which is nearly always; `rewriting` is the update of a row that has none left.
 */
export function transition(
  identifier: string,
  from: readonly DeliveryState[],
  step: Step,
): ConditionalUpdate {
  const update = new Update(from, step);
  update.values[':line'] = [lifeLine(step.now, step.what)];
  update.values[':most'] = mostLines;
  update.sets.push('#life = list_append(#life, :line)');
  update.conditions.push('size(#life) < :most');
  return update.of(identifier);
}

/** The same with `life` made short as a whole, on condition that nobody added to it since it was read. */
export function rewriting(
  row: UsageRecord,
  from: readonly DeliveryState[],
  step: Step,
): ConditionalUpdate {
  const update = new Update(from, step);
  const { life, lifeLeftOut } = lengthen(row, lifeLine(step.now, step.what));
  update.set('life', life);
  if (lifeLeftOut !== undefined) update.set('lifeLeftOut', lifeLeftOut);
  update.isAsRead(row);
  return update.of(row.identifier);
}

/** Takes a claim back as if it had never been (DL12): `before` as it was read, `claimed` as it is. */
export function undoing(before: UsageRecord, claimed: UsageRecord): ConditionalUpdate {
  const fields = ['firstAttemptAt', 'lastAttemptAt', 'doubtSince', 'nextAttemptAt'] as const;
  const set: Record<string, unknown> = { state: before.state, attempts: before.attempts };
  const remove: string[] = [];
  for (const field of fields) {
    if (before[field] === undefined) remove.push(field);
    else set[field] = before[field];
  }
  const update = new Update(['sending'], { now: '', what: '', set, remove, as: claimed });
  update.set('life', claimed.life.slice(0, -1));
  update.isAsRead(claimed);
  return update.of(before.identifier);
}

class Update {
  readonly names: Record<string, string> = { '#state': 'state', '#life': 'life' };
  readonly values: Record<string, unknown> = {};
  readonly sets: string[] = [];
  readonly conditions: string[] = [];
  readonly #tail: string;

  constructor(from: readonly DeliveryState[], step: Step) {
    from.forEach((state, position) => {
      this.values[`:from${position}`] = state;
    });
    this.conditions.push(`#state IN (${from.map((_, at) => `:from${at}`).join(', ')})`);
    for (const [name, value] of Object.entries(step.set)) this.set(name, value);
    for (const [name, value] of Object.entries(step.setOnce ?? {})) {
      this.#bind(name, value);
      this.sets.push(`#${name} = if_not_exists(#${name}, :${name})`);
    }
    for (const name of step.remove ?? []) this.names[`#${name}`] = name;
    const removed = (step.remove ?? []).map((name) => `#${name}`).join(', ');
    if (step.count !== undefined) this.values[':one'] = 1;
    if (step.as !== undefined) this.#isNotCalledSince(step.as);
    this.#tail =
      (removed === '' ? '' : ` REMOVE ${removed}`) +
      (step.count === undefined ? '' : ` ADD ${step.count} :one`);
  }

  set(name: string, value: unknown): void {
    this.#bind(name, value);
    this.sets.push(`#${name} = :${name}`);
  }

  /** Each step adds a line, so that the number of lines tells one version of a row from another. */
  isAsRead({ life, lifeLeftOut }: UsageRecord): void {
    this.values[':lines'] = life.length;
    this.conditions.push('size(#life) = :lines', this.#equals('lifeLeftOut', lifeLeftOut));
  }

  #isNotCalledSince({ attempts, refusals }: UsageRecord): void {
    this.values[':readAttempts'] = attempts;
    this.conditions.push('attempts = :readAttempts', this.#equals('refusals', refusals));
  }

  #equals(name: string, value: unknown): string {
    this.names[`#${name}`] = name;
    if (value === undefined) return `attribute_not_exists(#${name})`;
    this.values[`:read_${name}`] = value;
    return `#${name} = :read_${name}`;
  }

  #bind(name: string, value: unknown): void {
    this.names[`#${name}`] = name;
    this.values[`:${name}`] = typeof value === 'string' ? value.slice(0, longestText) : value;
  }

  of(identifier: string): ConditionalUpdate {
    return {
      Key: { identifier },
      UpdateExpression: `SET ${this.sets.join(', ')}${this.#tail}`,
      ConditionExpression: this.conditions.join(' AND '),
      ExpressionAttributeNames: this.names,
      ExpressionAttributeValues: this.values,
    };
  }
}
