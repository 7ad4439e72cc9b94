import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { isListening } from './probe.ts';

const CALL_TIMEOUT_MS = 2_000;
const SERVING = 1;
const ALREADY_EXISTS = 6;
const RETENTION = '7 days';
const FRONTEND_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

/**
 * True when the Temporal server at 127.0.0.1:port serves and has the namespace, which is registered if
 * it is missing (a server from the module starts without any) and keeps closed workflows for a week.
 */
export async function servesNamespace(port: number, namespace: string): Promise<boolean> {
  // gRPC backs off for a second after a refused connection; a plain socket tells at once.
  if (!(await isListening(port))) return false;
  const connection = Connection.lazy({ address: `127.0.0.1:${port}`, interceptors: [] });
  try {
    return await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      const health = await connection.healthService.check({ service: FRONTEND_SERVICE });
      if (health.status !== SERVING) return false;
      await ensureNamespace(connection, namespace);
      await connection.workflowService.countWorkflowExecutions({ namespace });
      return true;
    });
  } finally {
    await connection.close();
  }
}

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const { workflowService } = connection;
  const workflowExecutionRetentionPeriod = msToTs(RETENTION);
  const description = 'Durabill, embedded stack';
  try {
    await workflowService.registerNamespace({
      namespace,
      description,
      workflowExecutionRetentionPeriod,
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS)) throw error;
    // The CLI makes one of its own, which forgets a closed workflow after a day.
    const { config } = await workflowService.describeNamespace({ namespace });
    const seconds = config?.workflowExecutionRetentionTtl?.seconds;
    if (seconds?.equals(workflowExecutionRetentionPeriod.seconds ?? 0) === true) return;
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: workflowExecutionRetentionPeriod },
    });
  }
}
