/** Several dead letters at once: one that fails does not keep the others. */
import pLimit from 'p-limit';
import { redrive } from './redrive.ts';
import type { Redriven, RedriveDependencies } from './redrive.ts';

const lettersAtOnce = 10;

export interface RedrivenTogether<Failure> {
  redriven: Redriven[];
  failures: (Failure & { id: string })[];
}

export interface TogetherOptions<Failure> {
  /** What is told of an error. */
  tell: (error: unknown, id: string) => Failure;
  /** After each one, whether it failed or not. */
  onEnd?: (ended: number) => void;
}

/** They are all tried; both lists are in the order of `ids`. */
export async function redriveTogether<Failure extends object>(
  deps: RedriveDependencies,
  ids: readonly string[],
  { tell, onEnd }: TogetherOptions<Failure>,
): Promise<RedrivenTogether<Failure>> {
  const redriven = new Map<string, Redriven>();
  const failures = new Map<string, Failure & { id: string }>();
  const atOnce = pLimit(lettersAtOnce);
  const one = async (id: string): Promise<void> => {
    try {
      redriven.set(id, await redrive(deps, id));
    } catch (error) {
      failures.set(id, { id, ...tell(error, id) });
    }
    onEnd?.(redriven.size + failures.size);
  };
  await Promise.all(ids.map((id) => atOnce(one, id)));
  return { redriven: inOrder(ids, redriven), failures: inOrder(ids, failures) };
}

/** Ten at once end in any order. */
function inOrder<T>(ids: readonly string[], found: ReadonlyMap<string, T>): T[] {
  return ids.flatMap((id) => found.get(id) ?? []);
}
