import { defineConfig } from 'vitest/config';

/** Run by `npm test` here, and as the project `stripe-double` of the whole. */
export default defineConfig({
  test: {
    name: 'stripe-double',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Servers are started and killed, on machines that work for others too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
  },
});
