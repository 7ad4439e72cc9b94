/** `npm run bench -- <name>`: each benchmark is a file of its own. */
import { Command } from 'commander';
import { readEnvironment } from '../../platform/config.ts';
import { addApi } from './api.ts';
import { addFileMetering } from './file-metering.ts';
import { addStorageDaily } from './storage-daily.ts';
import { addStorageMonthly } from './storage-monthly.ts';
import { addWebhooks } from './webhooks.ts';

// Also keeps the AWS SDK's advice about Node 22 out of stderr.
readEnvironment();

const wrongUsageExitCode = 2;

const program = new Command('bench')
  .description(
    'Measures the product on real servers, beside its ceilings. Run one at a time, on a quiet machine.',
  )
  .showHelpAfterError('(--help shows how it is used)');

program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? 0 : wrongUsageExitCode);
});

addApi(program);
addFileMetering(program);
addStorageDaily(program);
addStorageMonthly(program);
addWebhooks(program);

if (process.argv.length > 2) await program.parseAsync();
else {
  const names = program.commands.map(
    (command) => `  ${command.name().padEnd(16)}${command.summary()}`,
  );
  process.stdout.write(`npm run bench -- <name>, one of:\n${names.join('\n')}\n`);
}
