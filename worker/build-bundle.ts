/** Writes the bundle of the workflows to the path that is given; compiled, it is told their sources. */
import { writeBundle } from './bundle.ts';

const [path, workflows] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: build-bundle <file> [workflows/index.ts]');
await writeBundle(path, workflows);
