import type { Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import {
  addSessionOptions,
  promptArgument,
  sessionInputFrom,
  sessionOptionsFrom,
  type SessionFlags,
} from '../session-options.js';

const EXAMPLES = `
The job waits for a session of that name and starts one when there is none.

Examples:
  devloop run "Name three rivers."
  devloop run --session train "Write a haiku about GPUs." > haiku.txt
  devloop run -d "A long question"     print the job's id and return; later: devloop jobs <id>
  devloop run --json "Hello"           answer, tokens, seconds and cost as JSON`;

type Flags = SessionFlags & OutputOptions & { readonly session: string; readonly detach?: boolean };

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .summary('ask the agent on a session and print its answer')
    .description('Submit a job, wait for it, and print its answer on stdout.')
    .argument('<prompt>', 'what the agent is asked', promptArgument)
    .option('--session <name>', 'session that serves the job', 'default');
  addSessionOptions(command)
    .option('-d, --detach', "print the job's id once it is accepted")
    .addHelpText('after', EXAMPLES)
    .action(async (prompt: string, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      await sessionInputFrom(flags.session, flags, 'run');
      const { project, model, session } = flags;
      const sessionOptions = sessionOptionsFrom(flags);
      const input = {
        session,
        input: prompt,
        ...(project === undefined ? {} : { project }),
        ...(model === undefined ? {} : { model }),
        ...(Object.keys(sessionOptions).length === 0 ? {} : { sessionOptions }),
      };
      const { runJob } = await import('../run-job.js');
      await runJob(input, flags.detach ?? false, new Output(flags, 'stderr'));
    });
}
