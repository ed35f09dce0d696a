import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Temporal with its Web UI, the RunPod emulator and a worker, on this machine, until Ctrl-C. Commands in other terminals of this
clone use it: devloop start-session, run, status, jobs, stop, cancel.

Examples:
  devloop dev
  devloop dev --json     {temporalAddress, webUiUrl, emulatorUrl, pids: {temporal, worker, emulator}} once all three are ready`;

export function addDev(program: Command): void {
  program
    .command('dev')
    .summary('the embedded stack in this terminal')
    .description('Run the embedded stack in the foreground.')
    .option('--emulator', "use this machine's RunPod emulator even when a RunPod key is set")
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<OutputOptions & { readonly emulator?: boolean }>();
      const { runDev } = await import('../run-dev.js');
      await runDev(flags.emulator ?? false, new Output(flags));
    });
}
