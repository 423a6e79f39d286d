/** A worker as a process of its own: SALVOR_CONFIG names its configuration, Temporal's own variables its server. */
import { environmentVariable } from '../tools/environment.ts';
import { runWorker } from './worker.ts';

const configFile = environmentVariable('SALVOR_CONFIG');
if (configFile === undefined) {
  process.stderr.write('SALVOR_CONFIG is not set; expected the path of salvor.yaml\n');
  process.exit(2);
}
const taskQueue = environmentVariable('SALVOR_TASK_QUEUE');
await runWorker({
  configFile,
  ...(taskQueue !== undefined && { taskQueue }),
  onReady: () => process.stderr.write(`salvor worker: polling "${taskQueue ?? 'salvor'}" with ${configFile}\n`),
});
