import { InvalidArgumentError, type Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Needs RUNPOD_API_KEY alone: no Temporal, no worker. Run it from a cron on another machine, for it ends what they can no longer end:
pods past their hard deadline, pods that never became ready, pods that nobody uses any more. It sees them gone before it returns.

Exit codes: 0 nothing to end, or the named session's pods are gone · 4 something had to be ended · 1 RunPod did not end it ·
3 RunPod's list could not be read.

Examples:
  devloop reap --dry-run                       what would be ended, and why
  devloop reap --ping-url https://hc.example/x a monitor notices when it no longer runs
  devloop reap --session train                 every pod of one session, at once
  devloop reap --owner ci --any-owner          owner "ci", and whoever else's pods are past their deadline`;

type Flags = OutputOptions & {
  readonly dryRun?: boolean;
  readonly session?: string;
  readonly owner?: string;
  readonly anyOwner?: boolean;
  readonly pingUrl?: string;
};

export function addReap(program: Command): void {
  program
    .command('reap')
    .summary("end leaked pods by RunPod's list alone")
    .description('End the pods that outlived their time and see them gone.')
    .option('--dry-run', 'only say what would be ended')
    .option('--session <name>', 'every pod of this session, whatever its state')
    .option('--owner <name>', 'whose pods (default: DEVLOOP_OWNER, else the user)', ownerArgument)
    .option('--any-owner', "other owners' pods too, once past their hard deadline")
    .option('--ping-url <url>', 'GET this after a run that could read the list', urlArgument)
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Flags>();
      const { checkSessionName } = await import('../check.js');
      if (flags.session !== undefined) checkSessionName(flags.session);
      const { reapPods } = await import('../reap-pods.js');
      const { dryRun = false, anyOwner = false, session, owner, pingUrl } = flags;
      await reapPods({ dryRun, anyOwner, session, owner, pingUrl }, new Output(flags, 'stderr'));
    });
}

function ownerArgument(text: string): string {
  if (!/^[a-z0-9-]{1,32}$/.test(text)) throw new InvalidArgumentError('write 1 to 32 characters of a-z, 0-9 and -.');
  return text;
}

function urlArgument(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw new InvalidArgumentError('write an http(s) URL.');
  return text;
}
