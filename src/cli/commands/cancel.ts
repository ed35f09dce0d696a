import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
The job gives its lease back first; its session goes on for others.

Examples:
  devloop cancel 7f0c2d1e-4f5a-4c55-9d0e-3a1b2c3d4e5f
  devloop cancel -d 7f0c2d1e-4f5a-4c55-9d0e-3a1b2c3d4e5f    do not wait for its end`;

export function addCancel(program: Command): void {
  program
    .command('cancel')
    .summary('end a job')
    .description('Cancel a job and wait until it has ended.')
    .argument('<job>', "the job's id")
    .option('-d, --detach', 'return once Temporal has the request')
    .addHelpText('after', EXAMPLES)
    .action(async (jobId: string, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<OutputOptions & { readonly detach?: boolean }>();
      const { cancelJob } = await import('../cancel-job.js');
      await cancelJob(jobId, flags.detach ?? false, new Output(flags));
    });
}
