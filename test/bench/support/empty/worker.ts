/** A worker process for `emptyJob` and `emptyChildren`. */
import { fileURLToPath } from 'node:url';
import { runPeerWorker } from '../peer-worker.ts';
import * as activities from './activities.ts';

await runPeerWorker(fileURLToPath(new URL('workflows.ts', import.meta.url)), activities);
