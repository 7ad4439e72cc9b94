/** What `durabill` understands: declares the nouns; each is a folder of its own. */
import { Command } from 'commander';
import { addBill } from './bill/commands.ts';
import { addBudgets } from './budgets/commands.ts';
import { addConfig } from './config/commands.ts';
import { addCustomers } from './customers/commands.ts';
import { addDeadLetters } from './dead-letters/commands.ts';
import { addDoctor } from './doctor/commands.ts';
import { addKeys } from './keys/commands.ts';
import { addProcess } from './process/commands.ts';
import { addSchedules } from './schedules/commands.ts';
import { addSetup } from './setup/commands.ts';
import { addStorage } from './storage/commands.ts';
import { addUsage } from './usage/commands.ts';
import { addWebhooks } from './webhooks/commands.ts';

export function createProgram(): Command {
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
  addKeys(program);
  addBudgets(program);
  addSchedules(program);
  return program;
}
