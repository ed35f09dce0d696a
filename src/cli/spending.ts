import type { Config } from '../config.js';
import type { PodSessionInput } from '../contract/index.js';
import { readStack, requireSameRunPod, type RunPodAccount } from '../embedded/index.js';
import { readCatalog } from './catalog.js';
import { confirm, mustAsk } from './confirm.js';
import { formatUsd } from './duration.js';
import type { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import type { Progress } from './progress.js';
import { agreedInput, quoteFor, quoteLines } from './quote.js';

export interface Spending {
  readonly config: Config;
  readonly account: RunPodAccount;
  /** Checked. */
  readonly input: PodSessionInput;
  readonly yes: boolean;
  /** Last line before the question. */
  readonly remark?: string;
  /** Nothing that can be rented now is no reason to refuse. */
  readonly mayBeEmpty?: boolean;
}

/** The account of the RunPod key. */
export function accountOf({ runpod }: Config): RunPodAccount | undefined {
  const { apiKey, apiUrl, proxyUrl } = runpod;
  return apiKey === undefined ? undefined : { apiKey, apiUrl, proxyUrl };
}

/**
 * Nothing has been started and nothing is paid yet: shows the price an hour and the worst case, and has them confirmed.
 * @returns the input, held to what was agreed to
 * @throws DevloopError when a stack of the other kind runs here, nobody can be asked, RunPod gives no prices, or nothing can
 *   be rented; Interrupted without an explicit yes
 */
export async function agreeToSpend(
  { config, account, input, yes, remark, mayBeEmpty = false }: Spending,
  { out, progress, interrupt }: { readonly out: Output; readonly progress: Progress; readonly interrupt: Interrupt },
): Promise<PodSessionInput> {
  const stack = readStack(config.dataDir);
  if (stack !== undefined) requireSameRunPod(stack, account);
  const terminal = process.stdin.isTTY && out.notes.isTTY;
  const ask = mustAsk({ yes, maxPriceGiven: input.maxPriceUsdPerHour !== undefined, terminal });
  const { cloud, gpuCount } = input;
  const query = { ...(cloud && { cloud }), ...(gpuCount && { count: gpuCount }) };
  const quote = quoteFor(input, config.caps, await readCatalog(account, query, progress, interrupt.signal));
  if (quote.refusal !== undefined && !mayBeEmpty) throw quote.refusal;
  for (const line of [...quoteLines(quote), ...(remark === undefined ? [] : [remark])]) out.note(line);
  if (ask) {
    const question = `Rent for up to ${formatUsd(quote.usdPerHour)} an hour, at most ${formatUsd(quote.worstCaseUsd)} for a session?`;
    await confirm(question, { input: process.stdin, output: out.notes }, interrupt.signal);
  }
  return agreedInput(input, quote);
}
