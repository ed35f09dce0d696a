import { Option, type Command } from 'commander';
import { Output, type OutputOptions } from '../output.js';
import { moneyArgument } from '../session-options.js';

const EXAMPLES = `
Prices and stock come from RunPod's catalog, or from the emulator of this clone's running stack where there is no
RUNPOD_API_KEY; none are kept here. Stock is RunPod's own word and may lag. Cheapest first.

Examples:
  devloop gpus                              all GPUs
  devloop gpus 4090                         those with 4090 in their id or name
  devloop gpus --cloud community --max-price 0.50
  devloop gpus a100 --json                  {gpus: [{id, name, memoryGb, secureUsdPerHour, communityUsdPerHour, stock}]}`;

type Flags = OutputOptions & { readonly cloud?: 'secure' | 'community'; readonly maxPrice?: number };

export function addGpus(program: Command): void {
  program
    .command('gpus')
    .summary('which GPUs there are, at what price')
    .description("Show the GPU catalog with today's prices an hour and stock.")
    .argument('[filter]', 'text in the id or the name')
    .addOption(new Option('--cloud <kind>', 'only what this cloud offers').choices(['secure', 'community']))
    .option('--max-price <usd>', 'highest price an hour', moneyArgument)
    .addHelpText('after', EXAMPLES)
    .action(async (filter: string | undefined, _options: unknown, self: Command) => {
      const { cloud, maxPrice, ...output } = self.optsWithGlobals<Flags>();
      const { showGpus } = await import('../show-gpus.js');
      await showGpus(
        {
          filter,
          cloud: cloud === undefined ? undefined : cloud === 'secure' ? 'SECURE' : 'COMMUNITY',
          maxPriceUsdPerHour: maxPrice,
        },
        new Output(output, 'stderr'),
      );
    });
}
