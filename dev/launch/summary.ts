import pc from 'picocolors';
import type { DemoResult } from '../demo/run.ts';
import type { StackDescription } from '../stack/stack-file.ts';

/** What a person reads once everything is up: what was billed and where to look. */
export function summaryText(
  stack: StackDescription,
  dataDir: string,
  demo: DemoResult | undefined,
  notes: readonly string[],
): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Temporal UI', stack.temporalUi],
    ['Stripe double', stack.stripe],
    ['API', `${stack.api}/docs`],
    ['Data folder', dataDir],
  ];
  const links = rows.map(([label, value]) => `  ${label.padEnd(14)} ${pc.cyan(value)}`);
  const parts = [
    demo?.text.trim() ?? '',
    notes.map((note) => `  ${pc.yellow(note)}`).join('\n'),
    [pc.bold('Where to look'), ...links].join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The one line of `--json`. No secret is in it: those are in `stack.json`. */
export function summaryJson(options: {
  ok: boolean;
  startedAt: number;
  dataDir: string;
  stack: StackDescription | undefined;
  demo: DemoResult | undefined;
  error: string | undefined;
}): string {
  const { stack } = options;
  return JSON.stringify({
    ok: options.ok,
    seconds: Math.round((performance.now() - options.startedAt) / 100) / 10,
    dataDir: options.dataDir,
    ...(stack === undefined ? {} : endpoints(stack)),
    demo: options.demo?.summary ?? null,
    ...(options.error === undefined ? {} : { error: options.error }),
  });
}

function endpoints(stack: StackDescription): object {
  const { api, temporal, temporalUi, dynamodb, s3, stripe, alerts, pid } = stack;
  return { api, temporal, temporalUi, dynamodb, s3, stripe, alerts, pid };
}
