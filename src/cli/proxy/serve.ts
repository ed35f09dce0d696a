import { Interrupt } from '../interrupt.js';
import type { Output } from '../output.js';
import { proxyEnvironment, type PodProxy } from './pod-proxy.js';
import { withPod, type PodUse } from './with-pod.js';

/** The pod at a port of this machine until Ctrl-C. */
export async function serveProxy(use: PodUse, out: Output): Promise<void> {
  const interrupt = new Interrupt(out);
  try {
    await withPod(use, out, interrupt, async (proxy) => {
      tell(proxy, out);
      await new Promise<never>((_resolve, reject) => {
        interrupt.signal.addEventListener('abort', () => {
          reject(interrupt.signal.reason as Error);
        });
      });
    });
  } finally {
    interrupt.dispose();
  }
}

function tell({ url }: PodProxy, out: Output): void {
  const env = proxyEnvironment(url);
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${value}`);
  out.result({ url, env }, lines.join('\n'));
  out.note('Serving until Ctrl-C.');
}
