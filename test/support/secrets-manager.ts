/** A stand-in for AWS Secrets Manager: answers the real SDK's GetSecretValue over HTTP. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished, vi } from 'vitest';

export interface SecretsManager {
  /** The variables with which a process asks this one. */
  env: Record<string, string>;
  /** The ids of the secrets that were asked for. */
  asked: string[];
}

/** Holds these values by secret id until the test ends; this process's SDK asks it as well. */
export async function startSecretsManager(
  secrets: Readonly<Record<string, unknown>>,
): Promise<SecretsManager> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const { SecretId } = JSON.parse(body) as { SecretId: string };
      asked.push(SecretId);
      const isKnown = Object.hasOwn(secrets, SecretId);
      const isGet = req.headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
      const error = { __type: 'ResourceNotFoundException', Message: 'no such secret' };
      const found = { Name: SecretId, SecretString: JSON.stringify(secrets[SecretId]) };
      res.writeHead(isGet && isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
      res.end(JSON.stringify(isGet && isKnown ? found : error));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const variable = 'AWS_ENDPOINT_URL_SECRETS_MANAGER';
  const url = `http://127.0.0.1:${port}`;
  vi.stubEnv(variable, url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
  });
  const credentials = { AWS_ACCESS_KEY_ID: 'durabill', AWS_SECRET_ACCESS_KEY: 'durabill-secret' };
  return { env: { ...credentials, [variable]: url }, asked };
}
