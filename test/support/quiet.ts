/** Tests provoke failures on purpose: the SDK says only what is worse. Once a process, which runs many files. */
import { DefaultLogger, Runtime } from '@temporalio/worker';

const process_ = globalThis as { isTemporalQuiet?: true };
if (process_.isTemporalQuiet === undefined) {
  process_.isTemporalQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}
