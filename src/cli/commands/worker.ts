import type { Command } from 'commander';

const EXAMPLES = `
Needs TEMPORAL_ADDRESS (or a Temporal profile), RUNPOD_API_KEY and DEVLOOP_GATE_SECRET; never falls back to the emulator.
Any number of workers may run. SIGTERM and Ctrl-C let running steps be taken over by another worker.

Example:
  TEMPORAL_ADDRESS=temporal.example:7233 devloop worker`;

export function addWorker(program: Command): void {
  program
    .command('worker')
    .summary('run sessions and jobs for a Temporal server')
    .description('Run a worker in this terminal.')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { runWorker } = await import('../../worker.js');
      await runWorker();
    });
}
