import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Looks only: starts nothing, fetches nothing, rents nothing. Exit code 4 when it found a problem.

Examples:
  devloop doctor
  devloop doctor --json`;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('what this machine has and lacks')
    .description('Check the programs, Temporal, the worker and the RunPod key.')
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { runDoctor } = await import('../run-doctor.js');
      await runDoctor(new Output(self.optsWithGlobals<OutputOptions>()));
    });
}
