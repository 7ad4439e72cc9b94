/** Every tool version in one place; all were tried together. A new version is a new cache folder. */
export const TOOL_VERSIONS = {
  'temporal-server': '1.32.0',
  'temporal-ui': '2.54.1',
  versitygw: '1.8.0',
  dynoxide: '1.2.1',
  'stripe-mock': '0.203.0',
  'temporal-test-server': '1.38.0',
} as const;

export type ToolName = keyof typeof TOOL_VERSIONS;

export const MAVEN_DEPENDENCY_PLUGIN_VERSION = '3.8.1';
export const MINIMUM_GO_VERSION = [1, 26] as const;
export const MINIMUM_JAVA_VERSION = 11;
