import { AxiosError } from 'axios';
import { AgentFault, type AgentRunOptions, type AgentRunResult } from '../../../src/agent/index.js';
import { gateToken } from '../../../src/runpod/index.js';
import { GATE_SECRET } from '../../support/tester.js';
import type { Link, Network, WireRequest } from './network.js';
import { ASKER } from './pod-machine.js';

export const tokenOf = (podName: string): string => gateToken(GATE_SECRET, podName);

/** How long the model works on an input: the senders of jobs write it there. */
export const secondsOf = (input: AgentRunOptions['input']): number =>
  Number(/\d+(\.\d+)?/.exec(typeof input === 'string' ? input : '')?.[0] ?? 5);

/** What a job asks: how long the model works on it, and for whom, so that the gate can tell; then the agent's own part. */
export const inputOf = (jobId: string, seconds: number, pauses: number): string =>
  `think for ${seconds.toFixed(1)} s, for ${jobId}${pauses > 0 ? `, then wait ${pauses} s and think again` : ''}`;

const askerOf = (input: AgentRunOptions['input']): string =>
  (typeof input === 'string' ? /, for ([^,]*)/.exec(input)?.[1] : undefined) ?? 'somebody';

const pauseOf = (input: AgentRunOptions['input']): number =>
  Number((typeof input === 'string' ? /wait (\d+) s/.exec(input)?.[1] : undefined) ?? 0);

/** A question to the model behind a gate, which it works on for so long. */
export function chatRequest(endpoint: string, token: string, seconds: number, asker: string): WireRequest {
  return {
    method: 'POST',
    url: `${endpoint}/api/chat`,
    query: { seconds: String(seconds) },
    headers: { authorization: `Bearer ${token}`, [ASKER]: asker },
    body: '{}',
  };
}

/** A job's question, as its input tells it. */
export const jobRequest = (endpoint: string, token: string, input: AgentRunOptions['input']): WireRequest =>
  chatRequest(endpoint, token, secondsOf(input), askerOf(input));

/** In place of the agent: streamed calls to the pod's model, with the errors that the real one makes of what it meets. */
export async function simulatedRun(network: Network, link: Link, options: AgentRunOptions): Promise<AgentRunResult> {
  const { input, signal, onToken } = options;
  await think(network, link, options);
  const pauses = pauseOf(input);
  if (pauses > 0) {
    await link.process.sleep(pauses * 1000, signal);
    await think(network, link, options);
  }
  onToken?.('');
  return {
    output: 'done',
    messages: [{ role: 'assistant', content: 'done' }],
    usage: { inputTokens: 1, outputTokens: 1 },
    timings: { totalSeconds: secondsOf(input) },
  };
}

async function think(network: Network, link: Link, { input, endpoint, token, signal }: AgentRunOptions): Promise<void> {
  const { status } = await network
    .call(link, 'gates', jobRequest(endpoint, token, input), signal)
    .catch((error: unknown) => {
      signal.throwIfAborted();
      const code = error instanceof AxiosError ? error.code : undefined;
      throw new AgentFault('pod-lost', 'POD_LOST', `no connection to the pod (${code ?? 'unknown'})`);
    });
  if (status === 401) throw new AgentFault('non-retryable', 'GATE_UNAUTHORIZED', 'the gate refused the token');
  if (status === 404 || status === 502) throw new AgentFault('pod-lost', 'POD_LOST', `nothing answers (${status})`);
  if (status >= 300) throw new AgentFault('retryable', 'AGENT_FAILED', `the model server answered ${status}`);
}
