export interface DemoStack {
  env: Record<string, string>;
  stripe: string;
  temporalUi: string;
  report(line: string): void;
}

export interface DemoResult {
  ok: boolean;
  summary: unknown;
  text: string;
}

/** Placeholder: the demo is written elsewhere and replaces this file. */
export async function runDemo(stack: DemoStack): Promise<DemoResult> {
  stack.report('no demo yet');
  return await Promise.resolve({ ok: true, summary: {}, text: '' });
}
