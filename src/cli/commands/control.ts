import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { portArgument } from '../port.js';

const EXAMPLES = `
Needs TEMPORAL_ADDRESS (or a Temporal profile) and workers there; never starts any, needs no RunPod key. Whoever asks needs the
token: DEVLOOP_CONTROL_TOKEN, else one is made in the file control-token of the data folder. Listening elsewhere than on
loopback takes the variable. The dashboard is at / and asks for the same token once, then a cookie holds for 12 hours. Its links into
Temporal's Web UI need TEMPORAL_UI_URL, unless the Temporal is this clone's own. Without TLS: elsewhere put something with TLS in front of it.

Examples:
  TEMPORAL_ADDRESS=temporal.example:7233 devloop control
  TEMPORAL_ADDRESS=temporal.example:7233 TEMPORAL_UI_URL=https://temporal.example devloop control
  curl -H "Authorization: Bearer $(cat .devloop/control-token)" http://127.0.0.1:8787/control/sessions`;

type Flags = OutputOptions & { readonly host?: string; readonly port?: number };

export function addControl(program: Command): void {
  program
    .command('control')
    .summary('the dashboard, and sessions and jobs over HTTP')
    .description('Serve the dashboard and the control API in this terminal.')
    .option('--host <address>', 'where to listen (default: DEVLOOP_CONTROL_HOST, else 127.0.0.1)')
    .option('--port <number>', 'port, 0 for a free one (default: DEVLOOP_CONTROL_PORT, else 8787)', portArgument(0))
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { host, port, ...output } = self.optsWithGlobals<Flags>();
      const { runControl } = await import('../run-control.js');
      await runControl({ host, port }, new Output(output));
    });
}
