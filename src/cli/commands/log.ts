import type { Command } from 'commander';
import { LOG_FOLDER } from '../../log/default-folder.js';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Adds what has ended since the last time to sessions.jsonl and jobs.jsonl, and writes the pages anew. Again, it changes nothing. Names of
sessions, projects, agents and jobs are in it; what jobs were asked and what they answered is not.

Examples:
  devloop log export
  devloop log export --dir site/log --json     {sessions, jobs}: how many were added`;

type Flags = OutputOptions & { readonly dir: string };

export function addLog(program: Command): void {
  const log = program.command('log').summary('the public log').description('Keep the public log of what ran.');
  log
    .command('export')
    .summary('bring the public log up to date')
    .description('Write what ran, and what it cost, to files that can be published.')
    .option('--dir <folder>', 'where to', LOG_FOLDER)
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { dir, ...output } = self.optsWithGlobals<Flags>();
      const { runLogExport } = await import('../run-log-export.js');
      await runLogExport(dir, new Output(output, 'stderr'));
    });
}
