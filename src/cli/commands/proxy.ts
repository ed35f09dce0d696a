import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { portArgument } from '../port.js';
import { addSessionOptions, sessionInputFrom, type SessionFlags } from '../session-options.js';

const EXAMPLES = `
For editors and SDKs: no token to handle, and a new pod of the session is found by itself. Requests keep the pod; without them it
ends after its idle time, unless --hold.

Examples:
  devloop proxy                  prints the variables to set
  devloop proxy train --port 11434 --hold`;

type Flags = SessionFlags & OutputOptions & { readonly port?: number; readonly hold?: boolean };

export function addProxy(program: Command): void {
  const command = program
    .command('proxy')
    .summary("a session's pod at a port of this machine")
    .description('Lease a pod and serve it at a loopback port until Ctrl-C.')
    .argument('[name]', 'name of the session; started when there is none', 'default')
    .option('--port <number>', 'where to listen (default: a free one)', portArgument(1))
    .option('--hold', 'the pod counts as in use even without requests');
  addSessionOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      const session = await sessionInputFrom(name, flags, 'proxy');
      const { serveProxy } = await import('../proxy/serve.js');
      const use = { session, hold: flags.hold ?? false, port: flags.port ?? 0, label: 'proxy' };
      await serveProxy(use, new Output(flags, 'stderr'));
    });
}
