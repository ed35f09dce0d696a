import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Examples:
  devloop status                  running sessions
  devloop status train            one session: its pod, who uses it, what it costs, when it ends
  devloop status train --json     a SessionStatus of the wire contract`;

export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('what runs, who uses it, what it costs')
    .description('Show the running sessions, or one session, ended ones included.')
    .argument('[name]', 'name of the session')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, _options: unknown, self: Command) => {
      const out = new Output(self.optsWithGlobals<OutputOptions>());
      const { showSession, showSessions } = await import('../show-sessions.js');
      await (name === undefined ? showSessions(out) : showSession(name, out));
    });
}
