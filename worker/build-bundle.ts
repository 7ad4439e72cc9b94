/** `npm run build`: writes the workflow bundle to the path that is given. */
import { writeBundle } from './bundle.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: build-bundle <file>');
await writeBundle(path);
