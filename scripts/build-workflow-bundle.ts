import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

// Bundling once at build time keeps a worker's start fast and makes every worker of one build run the same code.
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../src/workflows/index.js', import.meta.url)),
  payloadConverterPath: fileURLToPath(new URL('../src/workflows/payload-converter.js', import.meta.url)),
  logger: new DefaultLogger('WARN'),
});
writeFileSync(new URL('../workflow-bundle.js', import.meta.url), code);
