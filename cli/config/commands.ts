/** `durabill config`: every variable, what is in force, and what is wrong. Needs no stack. */
import type { Command } from 'commander';
import { readEnvironment, reportConfig } from '../../platform/config.ts';
import type { Environment, VariableReport } from '../../platform/config.ts';
import { resolveSettings } from '../../platform/embedded.ts';
import { resolveStripeKey } from '../../platform/load-config.ts';
import { leaf } from '../shell/leaf.ts';
import { colors, table } from '../shell/output.ts';
import { perform } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

export function addConfig(program: Command): void {
  leaf(program, 'config', 'Shows every variable, its value, and what is missing or wrong.', [
    'durabill config',
    'STRIPE_SECRET_KEY=sk_test_… durabill config --json',
  ]).action(async (_options: object, command: Command) => {
    await perform(command, async () => await showConfig(readEnvironment()));
  });
}

async function showConfig(environment: Environment): Promise<Answer> {
  const { source, effective } = settingsOf(environment);
  const variables = await reportResolved(effective);
  const problems = variables.filter(({ problem }) => problem !== undefined);
  const rows = variables.map(({ variable, value, from, problem, meaning }) => [
    variable,
    value,
    from === 'environment' && source !== 'environment' && environment[variable] === undefined
      ? 'embedded stack'
      : from,
    problem === undefined ? meaning : colors.red(problem),
  ]);
  const columns = ['Variable', 'Value', 'From', 'Meaning or problem'].map((title) => ({ title }));
  const listed = problems.map(({ variable, problem }) => `  ${variable}: ${problem ?? ''}`);
  return {
    json: { source, variables },
    text: `${table(columns, rows)}\n\nSettings come from ${source}.`,
    ...(problems.length === 0
      ? {}
      : { failed: `the configuration has ${problems.length} problem(s):\n${listed.join('\n')}` }),
  };
}

/** With the Stripe key from Secrets Manager, if it is kept there: whether it is a live one counts. */
async function reportResolved(environment: Environment): Promise<VariableReport[]> {
  const given = reportConfig(environment);
  if (given.some(({ problem }) => problem !== undefined)) return given;
  try {
    return reportConfig(environment, await resolveStripeKey(environment));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return given.map((one) => (one.variable === 'STRIPE_SECRET_ID' ? { ...one, problem } : one));
  }
}

/** The settings that the other commands would use; without a stack the environment alone. */
function settingsOf(environment: Environment): { source: string; effective: Environment } {
  try {
    const settings = resolveSettings(environment);
    const { embedded } = settings;
    const source =
      embedded === undefined ? 'environment' : `the embedded stack in ${embedded.dataDir}`;
    return { source, effective: settings.environment };
  } catch {
    return { source: 'environment (no stack is running here)', effective: environment };
  }
}
