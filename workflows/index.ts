/** The workflow bundle: every exported function is a workflow type. */
export { deliverUsage } from './deliver-usage.ts';
export { processFiles } from './process-files.ts';
export { sweepUsage } from './sweep-usage.ts';
