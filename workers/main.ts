/**
 * A worker as a process of its own. SALVOR_CONFIG is the path of its configuration, SALVOR_METRICS is the address that
 * serves its metrics, and Temporal's own variables name the Temporal server.
 */
import { environmentVariable } from '../adapters/environment.ts';
import { metricsOptions } from './telemetry.ts';
import { runWorker } from './worker.ts';

const configFile = environmentVariable('SALVOR_CONFIG');
if (configFile === undefined) {
  process.stderr.write('SALVOR_CONFIG is not set; expected the path of salvor.yaml\n');
  process.exit(2);
}
const taskQueue = environmentVariable('SALVOR_TASK_QUEUE');
const metrics = metricsOptions();
await runWorker({
  configFile,
  ...(taskQueue !== undefined && { taskQueue }),
  ...(metrics && { metrics }),
  onReady: () => process.stderr.write(`salvor worker: polling "${taskQueue ?? 'salvor'}" with ${configFile}\n`),
});
