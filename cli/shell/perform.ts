/** Runs one command: its answer goes to stdout, its failure to stderr, its end into the exit code. */
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { readEnvironment } from '../../platform/config.ts';
import { Context } from './context.ts';
import { describeFailure } from './failures.ts';
import { colors } from './output.ts';

/** `json` for machines, `text` for people; `failed` is why it ends with 1 all the same. */
export interface Answer {
  json: unknown;
  text: string;
  failed?: string;
  /** The command wrote its own stdout, row by row. */
  streamed?: true;
}

/** 0 done, 1 refused or failed, 2 wrong usage. */
export const exitCodes = { refused: 1, usage: 2 } as const;

/** Says something on the side: warnings and progress never go to stdout. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * A command that talks to the stack. Its input is parsed first, so that bad input is refused without
 * one; what it opened is closed, however it ends.
 */
export async function performWith<Input>(
  command: Command,
  work: (context: Context, input: Input) => Promise<Answer>,
  parse: () => Input | Promise<Input>,
): Promise<void> {
  await perform(command, async () => {
    const input = await parse();
    const context = await Context.open();
    try {
      return await work(context, input);
    } finally {
      await context.close();
    }
  });
}

/** For a command without input. */
export function nothing(): undefined {
  return undefined;
}

/** A command that needs nothing but its arguments. */
export async function perform(
  command: Command,
  work: () => Answer | Promise<Answer>,
): Promise<void> {
  const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  try {
    const answer = await work();
    if (answer.streamed !== true) {
      process.stdout.write(json ? `${JSON.stringify(answer.json)}\n` : `${answer.text}\n`);
    }
    if (answer.failed === undefined) return;
    note(colors.red(answer.failed));
    process.exitCode = exitCodes.refused;
  } catch (error) {
    // Wrong usage that only the command itself can see.
    if (error instanceof CommanderError) throw error;
    reportFailure(error, json);
  }
}

function reportFailure(error: unknown, json: boolean): void {
  const { code, message } = describeFailure(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: code, message })}\n`);
  note(`${colors.red('error')}: ${message}`);
  const debug = ['debug', 'trace'].includes(readEnvironment()['LOG_LEVEL'] ?? '');
  if (debug && error instanceof Error) note(error.stack ?? '');
  else if (code === 'internal') note('(LOG_LEVEL=debug shows where)');
  process.exitCode = exitCodes.refused;
}
