import path from 'node:path';
import { runDemo } from '../demo/run.ts';
import type { DemoResult } from '../demo/run.ts';
import { parseConfig } from '../../platform/config.ts';
import type { Environment } from '../environment.ts';
import { startAlertReceiver } from '../stack/alert-receiver.ts';
import type { AlertReceiver } from '../stack/alert-receiver.ts';
import { startApiServer } from '../stack/api-server.ts';
import { startDynamodb } from '../stack/dynamodb.ts';
import type { Ports } from '../stack/ports.ts';
import { choosePorts } from '../stack/ports.ts';
import type { ProcessRegistry } from '../stack/processes.ts';
import { claimDataFolder } from '../stack/processes.ts';
import { runSetup } from '../stack/run-setup.ts';
import { startS3 } from '../stack/s3.ts';
import type { Secrets } from '../stack/secrets.ts';
import { loadSecrets, refuseLiveKeys } from '../stack/secrets.ts';
import { stackEnvironment, writeEnvironmentFile } from '../stack/stack-environment.ts';
import type { StackDescription } from '../stack/stack-file.ts';
import {
  describeStack,
  readStackFile,
  removeStackFile,
  writeStackFile,
} from '../stack/stack-file.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import { startStripe } from '../stack/stripe.ts';
import type { StartServer } from '../stack/supervisor.ts';
import { Supervisor } from '../stack/supervisor.ts';
import { startTemporalUi } from '../stack/temporal-ui.ts';
import { startTemporal } from '../stack/temporal.ts';
import { startWorker } from '../stack/worker.ts';
import { resolveTool } from '../tools/resolve.ts';
import type { Report, ResolvedTool } from '../tools/types.ts';
import type { ToolName } from '../tools/versions.ts';

/** Who uses another goes before it. */
const STOP_ORDER = ['worker', 'server', 'stripe', 'temporal-ui', 'temporal', 's3', 'dynamodb'];

export type ServerName =
  | 'dynamodb'
  | 's3'
  | 'temporal'
  | 'temporal-ui'
  | 'stripe'
  | 'worker'
  | 'server';

/** The embedded stack of one data folder, from claiming the folder to the last process's end. */
export class StackLaunch {
  readonly dataDir: string;
  readonly #environment: Environment;
  readonly #announce: Report;
  readonly #signal: AbortSignal;
  readonly #tools = new Map<ToolName, ResolvedTool>();
  #registry: ProcessRegistry | undefined;
  #supervisor: Supervisor | undefined;
  #alerts: AlertReceiver | undefined;
  #plan: { ports: Ports; secrets: Secrets; env: Record<string, string> } | undefined;

  constructor(environment: Environment, announce: Report, signal: AbortSignal) {
    const folder = environment['DURABILL_DATA'];
    this.dataDir = path.resolve(folder === undefined || folder === '' ? '.durabill' : folder);
    this.#environment = environment;
    this.#announce = announce;
    this.#signal = signal;
  }

  /** Takes the data folder, after ending what a crash left on it. */
  async claim(report: Report): Promise<void> {
    await refuseLiveKeys(this.#environment);
    this.#registry = await claimDataFolder(this.dataDir, report, () => {
      const running = readStackFile(this.dataDir);
      if (running === undefined) return ', still starting';
      return `: API ${running.api}, Temporal UI ${running.temporalUi}, Stripe ${running.stripe}`;
    });
    removeStackFile(this.dataDir);
    this.#supervisor = new Supervisor(this.#registry, this.#announce, this.#signal);
  }

  /** Finds or builds one tool. */
  async getTool(name: ToolName, report: Report): Promise<ResolvedTool> {
    const options = { report, environment: this.#environment, signal: this.#signal };
    const tool = await resolveTool(name, options);
    this.#tools.set(name, tool);
    return tool;
  }

  /** The `temporal` CLI brings its own UI. */
  get needsTemporalUi(): boolean {
    return this.#tools.get('temporal-server')?.isTemporalCli !== true;
  }

  /** Decides ports and secrets and writes what the CLI needs to find the stack. */
  async plan(): Promise<void> {
    const ports = await choosePorts(this.dataDir, this.#environment, this.#announce);
    const secrets = loadSecrets(this.dataDir);
    const env = stackEnvironment(ports, secrets, this.#environment);
    // The user's own settings are among it: refused here, before anything is started.
    parseConfig(env);
    writeEnvironmentFile(this.dataDir, env);
    this.#plan = { ports, secrets, env };
  }

  /** Lets the Stripe double live on the same day as everything else: today, unless it is told. */
  async setClock(): Promise<void> {
    const offsetSeconds = this.env['CLOCK_OFFSET_SECONDS'];
    const control = createStripeControl(this.describe().stripe);
    if (offsetSeconds === undefined) {
      await control.resetClock();
      return;
    }
    const now = new Date(Date.now() + Number(offsetSeconds) * 1000).toISOString();
    await control.setClock(now, { ticking: true });
    this.#announce(`The stack’s clock says ${now} (DURABILL_CLOCK).`);
  }

  /** Starts one server and keeps it running. */
  async start(name: ServerName): Promise<void> {
    await known(this.#supervisor).run(name, this.#starter(name));
  }

  /** Shows alerts as they come, in this process: its output is where a person looks. */
  async receiveAlerts(): Promise<void> {
    const { ports, secrets } = known(this.#plan);
    const { alertWebhookSecret: secret } = secrets;
    this.#alerts = await startAlertReceiver({ port: ports.alerts, secret, show: this.#announce });
  }

  /** `durabill setup`. */
  async setUp(report: Report): Promise<void> {
    const registry = known(this.#registry);
    let pid: number | undefined;
    await runSetup({
      dataDir: this.dataDir,
      env: this.env,
      environment: this.#environment,
      report,
      signal: this.#signal,
      onSpawn: (child) => {
        pid = child.pid;
        registry.add(child);
      },
    }).finally(() => {
      if (pid !== undefined) registry.remove(pid);
    });
  }

  /** Says in `stack.json` that everything runs. */
  publish(): void {
    writeStackFile(this.dataDir, this.describe());
  }

  describe(): StackDescription {
    const { ports, secrets } = known(this.#plan);
    return describeStack(ports, secrets);
  }

  get env(): Record<string, string> {
    return known(this.#plan).env;
  }

  async demo(report: Report): Promise<DemoResult> {
    const { api, stripe, temporalUi, demo } = this.describe();
    const interrupted = new Promise<never>((_resolve, reject) => {
      this.#signal.addEventListener('abort', () => reject(new Error('interrupted')), {
        once: true,
      });
    });
    return await Promise.race([
      runDemo({ env: this.env, api, apiKey: demo.apiKey, stripe, temporalUi, report }),
      interrupted,
    ]);
  }

  /** Stops every server in order and gives the data folder back. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop(STOP_ORDER);
    await this.#alerts?.stop();
    this.release();
  }

  /** Gives the data folder back without waiting for anything: for the second Ctrl-C. */
  release(): void {
    if (this.#registry === undefined) return;
    removeStackFile(this.dataDir);
    this.#registry.close();
  }

  #starter(name: ServerName): StartServer {
    const { ports, secrets, env } = known(this.#plan);
    const common = { dataDir: this.dataDir, environment: this.#environment };
    const tool = (toolName: ToolName): { tool?: ResolvedTool } => {
      const found = this.#tools.get(toolName);
      return found === undefined ? {} : { tool: found };
    };
    const starters: Record<ServerName, StartServer> = {
      dynamodb: async (how) =>
        await startDynamodb({ ...common, ...how, ...tool('dynoxide'), port: ports.dynamodb }),
      s3: async (how) =>
        await startS3({
          ...common,
          ...how,
          ...tool('versitygw'),
          port: ports.s3,
          accessKeyId: secrets.s3AccessKeyId,
          secretAccessKey: secrets.s3SecretAccessKey,
        }),
      temporal: async (how) =>
        await startTemporal({
          ...common,
          ...how,
          ...tool('temporal-server'),
          port: ports.temporal,
          uiPort: ports.temporalUi,
        }),
      'temporal-ui': async (how) =>
        await startTemporalUi({
          ...common,
          ...how,
          ...tool('temporal-ui'),
          port: ports.temporalUi,
          temporalAddress: `127.0.0.1:${ports.temporal}`,
        }),
      stripe: async (how) =>
        await startStripe({
          ...common,
          ...how,
          port: ports.stripe,
          secretKey: secrets.stripeSecretKey,
          webhook: {
            url: `http://127.0.0.1:${ports.api}/webhooks/stripe`,
            secret: secrets.stripeWebhookSecret,
          },
        }),
      worker: async (how) =>
        await startWorker({ ...common, ...how, env, port: ports.workerHealth }),
      server: async (how) => await startApiServer({ ...common, ...how, env, port: ports.api }),
    };
    return starters[name];
  }
}

/** A step that runs before the one it needs is a mistake in the steps. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a step of the launcher ran too early');
  return value;
}
