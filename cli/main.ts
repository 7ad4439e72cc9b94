/** `durabill <noun> <verb>` as a process: runs one command; its end is the exit code. */
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { exitCodes } from './shell/perform.ts';

const program = createProgram();

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
