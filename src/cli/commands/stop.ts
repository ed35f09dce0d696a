import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Returns when RunPod shows the pod gone. Jobs that wait or run on the session fail with LEASE_REVOKED.

Examples:
  devloop stop train
  devloop stop --all
  devloop stop -d train     do not wait for the end`;

type Flags = OutputOptions & { readonly all?: boolean; readonly detach?: boolean };

export function addStop(program: Command): void {
  program
    .command('stop')
    .summary('end a session and see its pod gone')
    .description('Stop one session, or all of them, and wait for the verified end.')
    .argument('[name]', 'name of the session')
    .option('--all', 'every running session')
    .option('-d, --detach', 'return once Temporal has the request')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      if ((name === undefined) === (flags.all !== true)) {
        self.error('error: give the name of one session, or --all: devloop stop <name> | devloop stop --all');
      }
      const { stopSessions } = await import('../stop-sessions.js');
      await stopSessions(name, flags.detach ?? false, new Output(flags));
    });
}
