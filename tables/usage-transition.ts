import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { DeliveryState } from '../domain/usage.ts';

/** One step in a record's delivery: what is set and removed, which count goes up, and its line in `life`. */
export interface Step {
  now: string;
  what: string;
  set: Record<string, unknown>;
  remove?: string[];
  count?: 'attempts' | 'rounds';
}

/** A record's life stays small: one line of it is cut to this length. */
const longestLine = 240;

/** The conditional update of one step in a record's delivery, with its entry in `life`. */
export function transition(
  identifier: string,
  from: DeliveryState[],
  step: Step,
): Omit<UpdateCommandInput, 'TableName'> & { ConditionExpression: string } {
  const names: Record<string, string> = { '#state': 'state', '#life': 'life' };
  const values: Record<string, unknown> = {
    ':event': [{ at: step.now, what: step.what.slice(0, longestLine) }],
  };
  const sets = ['#life = list_append(#life, :event)'];
  for (const [name, value] of Object.entries(step.set)) {
    names[`#${name}`] = name;
    values[`:${name}`] = value;
    sets.push(`#${name} = :${name}`);
  }
  if (step.count === 'attempts') {
    values[':now'] = step.now;
    sets.push('firstAttemptAt = if_not_exists(firstAttemptAt, :now)');
  }
  from.forEach((state, position) => {
    values[`:from${position}`] = state;
  });
  if (step.count !== undefined) values[':one'] = 1;
  const remove =
    step.remove === undefined ? '' : ` REMOVE ${step.remove.map((n) => `#${n}`).join(', ')}`;
  for (const name of step.remove ?? []) names[`#${name}`] = name;
  const add = step.count === undefined ? '' : ` ADD ${step.count} :one`;
  return {
    Key: { identifier },
    UpdateExpression: `SET ${sets.join(', ')}${remove}${add}`,
    ConditionExpression: `#state IN (${from.map((_, position) => `:from${position}`).join(', ')})`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
