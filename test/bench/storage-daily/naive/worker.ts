/** A worker process for `naiveDay`. */
import { fileURLToPath } from 'node:url';
import { runPeerWorker } from '../../support/peer-worker.ts';
import * as activities from './activities.ts';

await runPeerWorker(fileURLToPath(new URL('workflows.ts', import.meta.url)), activities);
