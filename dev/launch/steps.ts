import { Listr } from 'listr2';
import type { DemoResult } from '../demo/run.ts';
import { BillingError } from '../../domain/errors.ts';
import { throttleProgress } from '../tools/progress.ts';
import type { Report } from '../tools/types.ts';
import { TOOL_VERSIONS } from '../tools/versions.ts';
import type { ToolName } from '../tools/versions.ts';
import { PlainRenderer } from './plain-renderer.ts';
import type { ServerName, StackLaunch } from './stack-launch.ts';

const PLAIN_PROGRESS_EVERY_MS = 15_000;
/** Fetched side by side; whether the UI is needed is known once the server is there. */
const TOOLS: readonly ToolName[][] = [
  ['temporal-server', 'temporal-ui'],
  ['versitygw'],
  ['dynoxide'],
];

export interface Screen {
  /** Lines one under the other instead of a display that is redrawn. */
  plain: boolean;
  write: Report;
}

export interface StepResults {
  demo?: DemoResult;
}

type Steps = Listr<StepResults, 'default', typeof PlainRenderer>;
type Step = Parameters<Steps['add']>[0];

/** Everything that `npm start` does until the stack is up and the demo has run. */
export function createSteps(launch: StackLaunch, screen: Screen): Steps {
  return new Listr<StepResults, 'default', typeof PlainRenderer>(
    [
      {
        title: 'Clear what an earlier start left',
        task: async (_results, task) => await launch.claim(reporter(task, screen)),
      },
      {
        title: 'Get the tools',
        task: (_results, task) =>
          task.newListr(
            TOOLS.map((names) => toolStep(names, launch, screen)),
            { concurrent: true },
          ),
      },
      { title: 'Choose ports and secrets', task: async () => await launch.plan() },
      {
        title: 'Start the servers',
        task: (_results, task) => {
          const names: ServerName[] = ['dynamodb', 's3', 'temporal', 'stripe'];
          if (launch.needsTemporalUi) names.push('temporal-ui');
          const steps = names.map((name) => serverStep(name, launch));
          return task.newListr(steps, { concurrent: true });
        },
      },
      {
        title: 'Set up tables, bucket, search attributes and schedules',
        task: async (_results, task) => {
          await launch.setClock();
          await launch.setUp(reporter(task, screen));
        },
      },
      {
        title: 'Start the worker and the server',
        task: (_results, task) => {
          const steps = [
            { title: 'receiver of alerts', task: async () => await launch.receiveAlerts() },
            serverStep('worker', launch),
            serverStep('server', launch),
          ];
          return task.newListr(steps, { concurrent: true });
        },
      },
      {
        title: 'Run the demo',
        task: async (results, task) => {
          launch.publish();
          results.demo = await launch.demo(reporter(task, screen));
          if (!results.demo.ok)
            throw new BillingError('conflict', 'the demo did not end as it should');
        },
      },
    ] satisfies Step[],
    listOptions(screen),
  );
}

function toolStep(names: readonly ToolName[], launch: StackLaunch, screen: Screen) {
  return {
    title: names[0] ?? '',
    task: async (_results: StepResults, task: Task) => {
      const got: string[] = [];
      for (const name of names) {
        if (name === 'temporal-ui' && !launch.needsTemporalUi) continue;
        const { source, isTemporalCli } = await launch.getTool(name, reporter(task, screen));
        const withUi = isTemporalCli ? ', with its UI' : '';
        got.push(`${name} ${TOOL_VERSIONS[name]} (${source}${withUi})`);
      }
      task.title = got.join(', ');
    },
  };
}

function serverStep(name: ServerName, launch: StackLaunch) {
  return { title: name, task: async () => await launch.start(name) };
}

interface Task {
  title: string;
  output: string;
}

function reporter(task: Pick<Task, 'output'>, screen: Screen): Report {
  const report: Report = (line) => {
    task.output = line;
  };
  return screen.plain ? throttleProgress(report, PLAIN_PROGRESS_EVERY_MS) : report;
}

function listOptions(screen: Screen) {
  return {
    renderer: 'default',
    rendererOptions: { showErrorMessage: false, collapseSubtasks: true },
    fallbackRenderer: PlainRenderer,
    fallbackRendererOptions: { write: screen.write },
    fallbackRendererCondition: screen.plain,
    // Ctrl-C is the launcher's; a display that exits the process would leave servers behind.
    registerSignalListeners: false,
    concurrent: false,
  } as const;
}
