/** `durabill <noun> <verb>`: declares the nouns; each is a file of its own. */
import { Command, CommanderError } from 'commander';
import { addBill } from './bill/commands.ts';
import { addConfig } from './config/commands.ts';
import { addCustomers } from './customers/commands.ts';
import { addDeadLetters } from './dead-letters/commands.ts';
import { addDoctor } from './doctor/commands.ts';
import { exitCodes } from './shell/perform.ts';
import { addProcess } from './process/commands.ts';
import { addSchedules } from './schedules/commands.ts';
import { addSetup } from './setup/commands.ts';
import { addStorage } from './storage/commands.ts';
import { addUsage } from './usage/commands.ts';
import { addWebhooks } from './webhooks/commands.ts';

const program = new Command('durabill')
  .description('Bills customers for what they use, and neither bills twice nor forgets.')
  .option('--json', 'print one JSON value on stdout and nothing else')
  // Commander would exit with 1 on wrong usage, in the middle of a write; its children inherit this.
  .exitOverride()
  .showHelpAfterError('(--help shows how it is used)')
  .addHelpText(
    'after',
    '\nWithout connection settings in the environment it talks to the embedded stack that is\n' +
      'running here (`npm start`). Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n' +
      '\nExamples:\n' +
      '  durabill doctor\n' +
      '  durabill process submit --customer cus_123 --file report.csv --wait\n' +
      '  durabill usage show prc_123 --json',
  );

addConfig(program);
addSetup(program);
addDoctor(program);
addCustomers(program);
addProcess(program);
addUsage(program);
addStorage(program);
addBill(program);
addWebhooks(program);
addDeadLetters(program);
addSchedules(program);

/** A reader that has seen enough (`durabill process list | head`) is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : exitCodes.refused);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  const helped = error.exitCode === 0;
  process.exitCode = helped ? 0 : exitCodes.usage;
  if (!helped && process.argv.includes('--json')) {
    const message = error.message.replace(/^error: /, '');
    process.stdout.write(`${JSON.stringify({ error: 'invalid_request', message })}\n`);
  }
}

/**
 * All is closed and written, so the process ends by itself, unless a call that was given up still
 * waits for its answer; it is not waited for.
 */
function endSoon(): void {
  setTimeout(() => {
    if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
    endSoon();
  }, 100).unref();
}

endSoon();
