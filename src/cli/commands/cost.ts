import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { DEFAULT_SINCE, sinceSchema } from '../../cost/cost-report.js';
import { LOG_FOLDER } from '../../log/default-folder.js';
import { Output, type OutputOptions } from '../output.js';

const EXAMPLES = `
Reads Temporal, and the public log for what Temporal no longer keeps. How a cost is divided: docs/costs.md.

With --reconcile RunPod's own bill stands beside it, for each pod and day, without the pods' disks. Exit code 4: they differ by more
than a cent and what RunPod may not have billed yet, or RunPod bills a pod that no session had.

Examples:
  devloop cost
  devloop cost --since 30d --json
  devloop cost --since 2d --reconcile`;

type Flags = OutputOptions & { readonly since: string; readonly reconcile?: boolean; readonly log: string };

export function addCost(program: Command): void {
  program
    .command('cost')
    .summary('what sessions cost, per day and project')
    .description('Show what sessions cost, and who bears it.')
    .option('--since <time>', 'how far back: days or hours, such as 7d or 36h', sinceArgument, DEFAULT_SINCE)
    .option('--reconcile', "compare with RunPod's bill")
    .option('--log <folder>', 'the public log', LOG_FOLDER)
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => {
      const { since, reconcile = false, log, ...output } = self.optsWithGlobals<Flags>();
      const { showCosts } = await import('../show-costs.js');
      await showCosts({ since, reconcile, log }, new Output(output, 'stderr'));
    });
}

function sinceArgument(text: string): string {
  const { data, error } = sinceSchema.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError(`it ${error.issues[0]?.message ?? 'is wrong'}.`);
  return data;
}
