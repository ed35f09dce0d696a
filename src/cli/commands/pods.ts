import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Reads RunPod's own list with RUNPOD_API_KEY, else that of this clone's emulator. Other pods of the account are only counted.

Verdicts: kept · foreign (another owner's) · overdue (past its hard deadline) · never-ready · unused (idle, and its own switch did
not end it). devloop reap ends the last three.

Examples:
  devloop pods
  devloop pods --json`;

export function addPods(program: Command): void {
  program
    .command('pods')
    .summary("Devloop's pods in RunPod's list, and what is wrong with them")
    .description('Show every pod of Devloop in the RunPod account, whatever Temporal knows of it.')
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { showPods } = await import('../show-pods.js');
      await showPods(new Output(self.optsWithGlobals<OutputOptions>()));
    });
}
