import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { addSessionOptions, promptArgument, sessionInputFrom, type SessionFlags } from '../session-options.js';

const HELLO = 'Say hello to the world in one short sentence.';

const EXAMPLES = `
Without TEMPORAL_ADDRESS this brings up Temporal, a RunPod emulator and a worker on this machine: no account, no charge.
With RUNPOD_API_KEY and without --emulator the pod is rented from that account, after its price an hour and the worst case
were shown and confirmed: with y, with --yes, and where there is no terminal only with --max-price.

Examples:
  devloop start-session                            a pod, a hello from its model, its end and its bill
  devloop start-session train --idle-timeout 5m    a session called train that ends after 5 minutes without use
  devloop start-session --prompt "What is 2+2?"    another first job
  devloop start-session --no-prompt -d             return at once; prints the session's workflow id
  devloop start-session --max-price 0.80           from a script, with RUNPOD_API_KEY: what an hour may cost
  devloop start-session --json                     one JSON document about it all`;

type Flags = SessionFlags &
  OutputOptions & {
    readonly emulator?: boolean;
    readonly detach?: boolean;
    readonly yes?: boolean;
    /** False: `--no-prompt`. */
    readonly prompt?: string | false;
  };

export function addStartSession(program: Command): void {
  const command = program
    .command('start-session')
    .alias('start')
    .summary('rent a pod, use it, end it when nobody does')
    .description('Start a session, or join the running one of that name, and watch it to its verified end.')
    .argument('[name]', 'name of the session', 'default');
  addSessionOptions(command)
    .option('--emulator', "use this machine's RunPod emulator even when a RunPod key is set")
    .option('-d, --detach', 'return once the session is accepted')
    .option('-y, --yes', 'do not ask before money is spent on a real account')
    .option('--prompt <text>', 'first job for the session (default: a hello)', promptArgument)
    .option('--no-prompt', 'no first job')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      const input = await sessionInputFrom(name, flags, 'start-session');
      const detach = flags.detach ?? false;
      const { startSession } = await import('../start-session/run.js');
      await startSession(
        { input, emulator: flags.emulator ?? false, yes: flags.yes ?? false, detach, prompt: promptOf(flags, detach) },
        new Output(flags),
      );
    });
}

/** Who does not wait gets no hello that nobody reads, unless it was asked for. */
function promptOf({ prompt }: Flags, detach: boolean): string | undefined {
  if (typeof prompt === 'string') return prompt;
  return prompt === false || detach ? undefined : HELLO;
}
