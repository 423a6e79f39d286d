/** The workflows, bundled for Temporal's sandbox. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

/** Bundles every workflow of Salvor. */
export async function bundleWorkflows(): Promise<WorkflowBundle> {
  return await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    workflowInterceptorModules: [fileURLToPath(new URL('../workflows/measure.ts', import.meta.url))],
    // The bundler's own progress is noise at every start; what goes wrong is still said.
    logger: new DefaultLogger('WARN'),
  });
}
