import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { addSessionOptions, sessionInputFrom, type SessionFlags } from '../session-options.js';

const EXAMPLES = `
The command finds the pod at a port of this machine: RUNPOD_URL, OLLAMA_HOST, OLLAMA_BASE_URL, OPENAI_BASE_URL and OPENAI_API_KEY
are set, the token is added on the way. It gets every signal, and its exit code is this command's: 125 is our own failure (2 a
wrong command line, 130 Ctrl-C before it ran), 126 and 127 a command that cannot be run. stdout is the command's, with --json
too, unless it did not run. The pod's lease goes back at the end, and lapses when this process is killed.

Examples:
  devloop exec -- python agent.py
  devloop exec --session train --idle-timeout 5m -- npm test
  devloop exec -- sh -c 'curl -s $OLLAMA_HOST/api/tags'`;

type Flags = SessionFlags & OutputOptions & { readonly session: string; readonly hold?: boolean };

export function addExec(program: Command): void {
  const command = program
    .command('exec')
    .summary('run a command with a pod at hand')
    .description('Lease a pod, run a command against it, give the lease back.')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('--session <name>', 'session whose pod is used; started when there is none', 'default')
    .option('--hold', 'the pod counts as in use even while the command asks it nothing');
  addSessionOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      const session = await sessionInputFrom(flags.session, flags, 'exec');
      const { execOnPod } = await import('../proxy/exec.js');
      const use = { session, hold: flags.hold ?? false, port: 0, label: `exec ${words[0] ?? ''}` };
      await execOnPod(use, words, new Output(flags, 'stderr'));
    });
}
