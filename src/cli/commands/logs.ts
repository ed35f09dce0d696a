import { InvalidArgumentError, type Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const DEFAULT_TAIL = 100;
/** RunPod REST v2, `tail` of the logs. */
const MAX_TAIL = 5000;

const EXAMPLES = `
Reads RunPod with RUNPOD_API_KEY, else this clone's emulator; needs no Temporal. With -f it ends when the pod is gone.

Examples:
  devloop logs train
  devloop logs train -f --tail 10
  devloop logs train --system      what RunPod says: image, container, restarts`;

type Flags = OutputOptions & { readonly follow?: boolean; readonly tail: number; readonly system?: boolean };

export function addLogs(program: Command): void {
  program
    .command('logs')
    .summary("the log of a session's pod")
    .description('Show the newest lines that the pod of a session wrote.')
    .argument('<session>', 'name of the session')
    .option('-f, --follow', 'go on with every new line')
    .option('--tail <lines>', 'lines of the past', tailArgument, DEFAULT_TAIL)
    .option('--system', "RunPod's own lines about the pod")
    .addHelpText('after', EXAMPLES)
    .action(async (session: string, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      const { follow = false, system = false, tail } = flags;
      if (follow && flags.json === true)
        self.error('error: --json gives one document, -f lines without an end: leave one of them out');
      const { showLogs } = await import('../show-logs.js');
      await showLogs({ session, follow, tail, system }, new Output(flags, 'stderr'));
    });
}

function tailArgument(text: string): number {
  const lines = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(lines <= MAX_TAIL)) throw new InvalidArgumentError(`write a number of lines from 0 to ${MAX_TAIL}.`);
  return lines;
}
