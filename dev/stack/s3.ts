import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { answersOk } from './probe.ts';
import { startTool } from './start-tool.ts';
import type { RunningServer, StartOptions } from './types.ts';

export interface S3Options extends StartOptions {
  accessKeyId: string;
  secretAccessKey: string;
}

const FLAGS = ['--region=us-east-1', '--health=/healthz', '--quiet', '--keep-alive'];

/** versitygw: the S3 API over the folder `<dataDir>/s3`, region us-east-1. It starts without buckets. */
export async function startS3(options: S3Options): Promise<RunningServer> {
  const folder = path.join(options.dataDir, 's3');
  await mkdir(folder, { recursive: true });
  return await startTool('versitygw', 's3', options, (port) => ({
    args: [`--port=127.0.0.1:${port}`, ...FLAGS, 'posix', folder],
    // As variables, since arguments are visible to every user of the machine.
    env: {
      ROOT_ACCESS_KEY_ID: options.accessKeyId,
      ROOT_SECRET_ACCESS_KEY: options.secretAccessKey,
    },
    probe: async () => await answersOk(`http://127.0.0.1:${port}/healthz`),
  }));
}
