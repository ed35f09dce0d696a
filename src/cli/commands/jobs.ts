import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Examples:
  devloop jobs                                            the last 10 jobs
  devloop jobs 7f0c2d1e-4f5a-4c55-9d0e-3a1b2c3d4e5f       one job: its state, and its answer once it has one`;

export function addJobs(program: Command): void {
  program
    .command('jobs')
    .summary('the last jobs, or one job with its answer')
    .description('Show the last 10 jobs, or the state and the answer of one.')
    .argument('[id]', "the job's id")
    .addHelpText('after', EXAMPLES)
    .action(async (jobId: string | undefined, _options: unknown, self: Command) => {
      const out = new Output(self.optsWithGlobals<OutputOptions>());
      const { showJob, showJobs } = await import('../show-jobs.js');
      await (jobId === undefined ? showJobs(out) : showJob(jobId, out));
    });
}
