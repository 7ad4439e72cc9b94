/**
 * Runs one of our programs: `node dev/run.mjs worker/main.ts …`. The TypeScript of all of them is
 * compiled once, with the workflow bundle beside it, into node_modules/.cache under the hash of the
 * sources; from there a worker starts in a third of the time that transpiling on the fly takes. What
 * production runs is made the same way (`npm run build`). Without a program it only compiles and
 * prints the folder.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const cache = path.join(checkout, 'node_modules', '.cache', 'durabill');
const project = 'tsconfig.programs.json';
const keptMs = 7 * 24 * 3_600_000;

/** The sources by path: all that the compiled folder is made of. */
function sources() {
  /** @type {{ include: string[] }} */
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- our own file
  const { include } = JSON.parse(readFileSync(path.join(checkout, project), 'utf8'));
  const files = include.flatMap((folder) =>
    readdirSync(path.join(checkout, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !/^test\/|\.config\.ts$/.test(file))
      .map((file) => path.join(folder, file)),
  );
  const settings = [project, 'tsconfig.build.json', 'tsconfig.json', 'package-lock.json'];
  return [...settings, 'dev/run.mjs', ...files.toSorted()];
}

/** @param {string[]} files */
function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(checkout, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 20);
}

/**
 * Made in a folder of its own and moved into place in one step: nobody ever runs half of it.
 * @param {string} target
 */
function compile(target) {
  process.stderr.write('Compiling the programs (once for these sources, some seconds)\n');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, '.making-'));
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    const tsc = path.join(path.dirname(manifest), 'bin', 'tsc');
    // Types are checked by `npm run check`; a program that is being worked on may run before.
    runNode([tsc, '--project', project, '--noCheck', '--outDir', folder]);
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n');
    const bundle = path.join(folder, 'workflow-bundle.js');
    const workflows = path.join(checkout, 'workflows', 'index.ts');
    runNode([path.join(folder, 'worker', 'build-bundle.js'), bundle, workflows]);
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    // Another process was quicker.
    if (!existsSync(target)) throw error;
  }
}

/**
 * Only the program itself may write to stdout.
 * @param {string[]} args
 */
function runNode(args) {
  execFileSync(process.execPath, args, { cwd: checkout, stdio: ['ignore', 2, 2] });
}

/** What was not used for a week; a stack that runs keeps its own young, by starting from it. */
function removeOld() {
  for (const name of readdirSync(cache)) {
    const folder = path.join(cache, name);
    const usedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - usedMs > keptMs) rmSync(folder, { recursive: true, force: true });
  }
}

function compiledFolder() {
  const target = path.join(cache, hashOf(sources()));
  if (!existsSync(target)) {
    compile(target);
    removeOld();
  }
  const now = new Date();
  utimesSync(target, now, now);
  return target;
}

const folder = compiledFolder();
const [, , program] = process.argv;
if (program === undefined) {
  process.stdout.write(`${folder}\n`);
} else {
  const source = path.relative(checkout, path.resolve(checkout, program));
  const file = path.join(folder, source.replace(/\.ts$/, '.js'));
  // Errors name the lines of the TypeScript.
  process.setSourceMapsEnabled(true);
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
}
