import { defineConfig } from 'vitest/config';

/**
 * One project per kind of test (AGENTS.md lists what each may touch). The Temporal SDK's native
 * module wants processes, so everything but the pure kind runs in forks.
 */
const kind = (name: string, timeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    setupFiles: ['test/support/quiet.ts'],
    // A process runs many files: what all import is loaded once.
    isolate: false,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'domain',
          include: ['test/domain/**/*.test.ts'],
          pool: 'threads' as const,
          // Thousands of cases of a property, while the machine works for others.
          testTimeout: 60_000,
        },
      },
      kind('house', 120_000),
      kind('tables', 120_000),
      kind('activities', 300_000),
      kind('workflows', 600_000),
      kind('replay', 120_000),
      kind('operations', 120_000),
      kind('server', 120_000),
      kind('contract', 120_000),
      kind('cli', 300_000),
      kind('dev', 300_000),
      // A workspace with a configuration of its own.
      'stripe-double',
      kind('e2e', 600_000),
    ],
    // A machine of two cores: files wait for real servers about as long as they compute.
    maxWorkers: 3,
    globalSetup: ['test/support/tools.ts', 'test/support/bundle.ts'],
    allowOnly: false,
  },
});
