import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { moneyArgument } from '../session-options.js';

const EXAMPLES = `
Temporal with its Web UI, the RunPod emulator and a worker, on this machine, until Ctrl-C. Commands in other terminals of this
clone use it: devloop start-session, run, status, jobs, stop, cancel.
With RUNPOD_API_KEY and without --emulator there is no emulator: sessions rent pods of that account, and devloop run asks nobody.

Examples:
  devloop dev
  devloop dev --max-price 0.80
  devloop dev --json     {temporalAddress, webUiUrl, emulatorUrl, pids: {temporal, worker, emulator}} once all three are ready`;

type Flags = OutputOptions & { readonly emulator?: boolean; readonly yes?: boolean; readonly maxPrice?: number };

export function addDev(program: Command): void {
  program
    .command('dev')
    .summary('the embedded stack in this terminal')
    .description('Run the embedded stack in the foreground.')
    .option('--emulator', "use this machine's RunPod emulator even when a RunPod key is set")
    .option('-y, --yes', 'do not ask before money is spent on a real account')
    .option('--max-price <usd>', 'highest price an hour of any session on this stack', moneyArgument)
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { emulator = false, yes = false, maxPrice, ...output } = self.optsWithGlobals<Flags>();
      const { runDev } = await import('../run-dev.js');
      await runDev({ emulator, yes, maxPriceUsdPerHour: maxPrice }, new Output(output));
    });
}
