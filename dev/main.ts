import { Command } from 'commander';
import { launchStack } from './launch/launch.ts';
import { PORT_SETTINGS } from './stack/ports.ts';
import { TOOL_DEFINITIONS } from './tools/definitions.ts';

const ports = Object.values(PORT_SETTINGS).map(
  ({ variable, defaultPort, label }) => `  ${variable.padEnd(30)} ${label} (${defaultPort})`,
);
const tools = Object.values(TOOL_DEFINITIONS).map(
  ({ variable, name, version }) => `  ${variable.padEnd(30)} the ${name} binary (${version})`,
);

const program = new Command('npm start --')
  .description('Starts the embedded stack: Temporal, DynamoDB, S3, Stripe double, worker, server.')
  .option('--once', 'run the demo, stop everything, exit 0 (or not 0 if a step failed)', false)
  .option('--json', 'print one JSON line on stdout when done; progress goes to stderr', false)
  .addHelpText(
    'after',
    [
      '\nPorts (a taken default moves to a free one; a taken port that is set is an error):',
      ...ports,
      '\nFolders:',
      '  DURABILL_DATA                  data, logs and secrets (.durabill)',
      '  DURABILL_TOOLS                 tools that were built (~/.cache/durabill/tools)',
      '\nTime:',
      '  DURABILL_CLOCK                 the time at which the stack lives, ISO 8601 (now)',
      '\nTools (unset: PATH, then npm, then the tools folder, then built once from the module):',
      ...tools,
    ].join('\n'),
  );

program.parse();
process.exit(await launchStack(program.opts<{ once: boolean; json: boolean }>()));
