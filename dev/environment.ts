/** Variables by name, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment that this process was started with: the one place in dev/ that reads it. */
export function developmentEnvironment(): Environment {
  // The AWS SDK's advice to leave Node 20 would stand in the middle of our own output.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return { ...process.env };
}

/** What any child process needs to run at all; connection settings are added one by one. */
export function baseEnvironment(from: Environment): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'USER',
    'LANG',
    'TMPDIR',
    'TEMP',
    'TMP',
    'TERM',
    'NODE_EXTRA_CA_CERTS',
  ];
  const base: Record<string, string> = {};
  for (const name of kept) {
    const value = from[name];
    if (value !== undefined) base[name] = value;
  }
  return base;
}
