import type { DevloopClient, SessionHandle, StartedSession } from '../../client/index.js';
import { DevloopError, type PodSessionInput } from '../../contract/index.js';
import { endStackIfUnused, joinOrStartStack, type RunPodAccount, type StackHandle } from '../../embedded/index.js';
import { connectExternal, connectToStack, requireWorker, surroundings, type Surroundings } from '../connect.js';
import { errorDocument, RemoteFailure } from '../exit-codes.js';
import { Interrupt, untilInterrupted } from '../interrupt.js';
import { chooseMode, embeddedModeLine, type Mode } from '../mode.js';
import type { Output } from '../output.js';
import { Progress } from '../progress.js';
import { accountOf, agreeToSpend } from '../spending.js';
import { StackProgress, type PhaseSeconds } from '../stack-progress.js';
import { untilEnd, type End } from './watch.js';
import { billOf } from './bill.js';
import { HelloJob } from './hello-job.js';
import { billLine, sessionReport } from './report.js';

/** Nobody pays for an idle pod of the emulator, and somebody waits for the end: shorter than a rented one's. */
const EMBEDDED_IDLE_SECONDS = 30;

export interface StartRequest {
  /** Checked. */
  readonly input: PodSessionInput;
  readonly emulator: boolean;
  /** Money may be spent without a question. */
  readonly yes: boolean;
  readonly detach: boolean;
  /** Undefined: no job. */
  readonly prompt: string | undefined;
}

/** Where the session runs and how it got there. */
interface Place {
  readonly client: DevloopClient;
  readonly stack: StackHandle | undefined;
  readonly stackPhases: readonly PhaseSeconds[];
  /** The session goes on without this command, so the stack must. */
  left: boolean;
}

/** A session from the first line to the bill. Rejects when the session or its job failed, and when somebody interrupts. */
export async function startSession(request: StartRequest, out: Output): Promise<void> {
  const around = surroundings();
  const mode = chooseMode({
    temporalSet: around.temporal !== undefined,
    runpodKeySet: around.config.runpod.apiKey !== undefined,
    emulator: request.emulator,
  });
  const account = mode === 'account' ? accountOf(around.config) : undefined;
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  const tools = { out, progress, interrupt };
  let place: Place | undefined;
  try {
    if (mode !== 'external') out.note(embeddedModeLine(account?.apiUrl));
    const input = await inputFor(mode, request, around, account, tools);
    place = await (mode === 'external' ? external(around, out) : embedded(input, account, around, tools));
    await inSession({ ...request, input }, place, tools);
  } finally {
    progress.clear();
    await place?.client.close();
    place?.stack?.release();
    if (place?.stack !== undefined && !place.left) await endStackIfUnused(around.config.dataDir);
    interrupt.dispose();
  }
}

/** What the session is started with; money is agreed to before anything is. */
async function inputFor(
  mode: Mode,
  { input, yes }: StartRequest,
  { config }: Surroundings,
  account: RunPodAccount | undefined,
  tools: Tools,
): Promise<PodSessionInput> {
  if (mode === 'emulator') return { idleTimeoutSeconds: EMBEDDED_IDLE_SECONDS, ...input };
  if (account === undefined) return input;
  return agreeToSpend({ config, account, input, yes }, tools);
}

async function external({ temporal }: Surroundings, out: Output): Promise<Place> {
  if (temporal === undefined) throw new Error('external mode without an address');
  const client = await connectExternal(temporal, out);
  await requireWorker({ client, stack: undefined });
  return { client, stack: undefined, stackPhases: [], left: false };
}

async function embedded(
  input: PodSessionInput,
  account: RunPodAccount | undefined,
  { config }: Surroundings,
  { progress, interrupt }: Tools,
): Promise<Place> {
  interrupt.remains = 'The stack that was being started ends by itself.';
  const shown = new StackProgress(progress);
  const starting = joinOrStartStack({
    config,
    account,
    onEvent: shown.onEvent,
    ...(input.api === undefined ? {} : { apis: [input.api] }),
  });
  const stack = await untilInterrupted(starting, interrupt);
  progress.line(`● Web UI ${stack.info.webUiUrl}${stack.joined ? ' (joined the stack that was running)' : ''}`);
  try {
    const client = await connectToStack(stack.info);
    await requireWorker({ client, stack: stack.info });
    return { client, stack, stackPhases: stack.joined ? [] : shown.phases, left: false };
  } catch (error) {
    stack.release();
    await endStackIfUnused(config.dataDir);
    throw error;
  }
}

interface Tools {
  readonly out: Output;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

async function inSession(request: StartRequest, place: Place, tools: Tools): Promise<void> {
  const { client, stack } = place;
  const { out, progress, interrupt } = tools;
  const { session: name } = request.input;
  // Not abortable: whether an aborted start took place would be unknown.
  const started = await client.startSession(request.input);
  interrupt.remains = `Session "${name}" goes on until its own timers end it. End it now: devloop stop ${name}`;
  announce(started, stack, progress);
  const job =
    request.prompt === undefined ? undefined : await HelloJob.submit(client, progress, request.prompt, request.input);
  if (request.detach) {
    place.left = true;
    out.result({ session: name, workflowId: started.workflowId }, `session ${name}: ${started.workflowId}`);
    return;
  }
  const session = client.session(name, started.runId);
  const end = await untilEnd(session, job, progress, interrupt.signal);
  await settle({ request, place, tools, session, started, job, end });
}

function announce(
  { session, workflowId, joined }: StartedSession,
  stack: StackHandle | undefined,
  progress: Progress,
): void {
  if (joined)
    progress.line(
      `● joined session "${session}", which was running: its own settings hold, not the options given here`,
    );
  if (stack === undefined) return;
  const { webUiUrl, namespace } = stack.info;
  progress.line(
    `● this session in the Web UI: ${webUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`,
  );
}

interface Settlement {
  readonly request: StartRequest;
  readonly place: Place;
  readonly tools: Tools;
  readonly session: SessionHandle;
  readonly started: StartedSession;
  readonly job: HelloJob | undefined;
  readonly end: End;
}

/** Shows the bill, writes the document, and throws what went wrong. */
async function settle({ request, place, tools, session, started, job, end }: Settlement): Promise<void> {
  const { out, progress } = tools;
  if (end.detached) {
    place.left = true;
    throw end.detached;
  }
  const record = end.record ?? (await session.record().catch(() => undefined));
  const name = request.input.session;
  const bill = await billOf(name, started.runId, record, place.stack?.info);
  const unsettled = record?.unsettled ?? [];
  for (const matter of unsettled) progress.line(`! not settled: ${matter}`);
  progress.line(billLine(record, bill));
  const failure = end.failure ?? job?.failure ?? leftOver(name, bill.alive, unsettled);
  const report = sessionReport({ session: name, stackPhases: place.stackPhases, answer: job?.answer, record, bill });
  out.document(failure === undefined ? report : { ...report, ...errorDocument(failure) });
  if (failure !== undefined) throw failure;
}

/** An end that left something is no success, even when everything else went well. */
function leftOver(session: string, alive: readonly string[], unsettled: readonly string[]): RemoteFailure | undefined {
  const matters = [...alive.map((pod) => `pod ${pod} is still billed`), ...unsettled];
  if (matters.length === 0) return undefined;
  return new RemoteFailure(
    new DevloopError('SESSION_FAILED', `session "${session}" left something: ${matters.join('; ')}`),
  );
}
