import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';

/** Only this user may read it; every file of the stack that names a key is such a one. */
const PRIVATE = 0o600;

/** Writes a JSON file in one step: a reader sees the old one or the new one. */
export function writeJsonFile(file: string, value: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: PRIVATE });
  renameSync(temporary, file);
}

/** Reads a JSON file; undefined when it is missing, torn, or of another shape. */
export function readJsonFile<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Removes a file that may be gone already. */
export function removeFile(file: string): void {
  rmSync(file, { force: true });
}
