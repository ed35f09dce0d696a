import { DevloopError } from '../../contract/index.js';
import { errorDocument, Interrupted } from '../exit-codes.js';
import { Interrupt } from '../interrupt.js';
import type { Output } from '../output.js';
import { proxyEnvironment } from './pod-proxy.js';
import { runCommand } from './run-command.js';
import { withPod, type PodUse } from './with-pod.js';

/** As env(1) and others that run a command. */
const OWN_FAILURE = 125;

/** Runs a command with the pod at hand and ends as it ended. */
export async function execOnPod(use: PodUse, command: readonly string[], out: Output): Promise<void> {
  const interrupt = new Interrupt(out);
  try {
    process.exitCode = await withPod(use, out, interrupt, (proxy) => {
      // From here on signals are the command's.
      interrupt.dispose();
      return runCommand({
        words: command,
        env: proxyEnvironment(proxy.url),
        terminal: process.stdin.isTTY,
      });
    });
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    // The command did not run: stdout is still ours.
    out.document(errorDocument(error));
    const code = error instanceof DevloopError ? ` [${error.code}]` : '';
    out.error(`error: ${error instanceof Error ? error.message : String(error)}${code}`);
    process.exitCode = OWN_FAILURE;
  } finally {
    interrupt.dispose();
  }
}
