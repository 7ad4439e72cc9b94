import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { isListening } from './probe.ts';

const CALL_TIMEOUT_MS = 2_000;
const SERVING = 1;
const ALREADY_EXISTS = 6;
const RETENTION = '7 days';
const FRONTEND_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

/**
 * True when the Temporal server at 127.0.0.1:port serves and has the namespace, which is registered
 * if it is missing: a server from the module starts without any.
 */
export async function servesNamespace(port: number, namespace: string): Promise<boolean> {
  // gRPC backs off for a second after a refused connection; a plain socket tells at once.
  if (!(await isListening(port))) return false;
  const connection = Connection.lazy({ address: `127.0.0.1:${port}`, interceptors: [] });
  try {
    return await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      const health = await connection.healthService.check({ service: FRONTEND_SERVICE });
      if (health.status !== SERVING) return false;
      await registerNamespace(connection, namespace);
      await connection.workflowService.countWorkflowExecutions({ namespace });
      return true;
    });
  } finally {
    await connection.close();
  }
}

async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Durabill, embedded stack',
      workflowExecutionRetentionPeriod: msToTs(RETENTION),
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS) return;
    throw error;
  }
}
