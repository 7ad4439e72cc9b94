import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import type { ToolDefinition } from './types.ts';

/** True for a file that this user may run. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** The binary that the tool's variable names. A variable that is set wrong is an error, never skipped. */
export async function findExplicit(
  definition: ToolDefinition,
  environment: Environment,
): Promise<string | undefined> {
  const value = environment[definition.variable];
  if (value === undefined || value === '') return undefined;
  const file = path.resolve(value);
  if (await isExecutable(file)) return file;
  throw new BillingError(
    'invalid_request',
    `${definition.variable}=${value} is not a program that can be run: ` +
      `set it to the ${definition.name} binary, or unset it to have it found or built`,
  );
}

/** The first of the tool's program names that is on PATH. */
export async function findOnPath(
  names: readonly string[],
  environment: Environment,
): Promise<string | undefined> {
  const folders = (environment['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const file = path.resolve(folder, name);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

/** The binary inside the tool's npm package, where that is installed for this platform. */
export async function findInNpm(definition: ToolDefinition): Promise<string | undefined> {
  if (definition.npmPackage === undefined || definition.npmBinary === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `${definition.npmPackage}/package.json`,
    );
    const file = path.join(path.dirname(manifest), definition.npmBinary);
    return (await isExecutable(file)) ? file : undefined;
  } catch {
    return undefined;
  }
}
