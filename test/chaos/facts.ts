import { loadConfig } from '../../src/config.js';
import { ensureBinary, versionOf } from '../../src/embedded/binaries.js';
import { VERSION } from '../../src/version.js';
import { CONFIG, DELETES_IN_VAIN } from './bounds.js';

/** What the figures hold for: everything that was scaled is called so, and nothing of it depends on the day. */
export async function factsOf(lanes: number): Promise<Record<string, string>> {
  const { cacheDir, noDownload } = loadConfig(process.env);
  const binaries = { cacheDir, noDownload, env: process.env };
  const [temporal, caddy] = await Promise.all([ensureBinary('temporal', binaries), ensureBinary('caddy', binaries)]);
  const { idleSeconds, readySeconds, drainSeconds, graceSeconds, outageSeconds, restartSeconds, gapSeconds } = CONFIG;
  return {
    'real, not scaled': `the switch's grace ${graceSeconds} s, heartbeats, workflow tasks, retries and all other times of the product`,
    scaled: `idle time ${idleSeconds} s (480 by default), time to become ready ${readySeconds} s (600), drain ${drainSeconds} s (60), the emulator's image pull 1 s`,
    failures: `outages 2 to ${outageSeconds} s, restarts after 0.5 to ${restartSeconds} s, the second of a pair within ${gapSeconds} s`,
    'phase stop': `RunPod accepts the first ${DELETES_IN_VAIN} DELETEs of the pod and ends nothing, else there would be hardly a moment to strike at`,
    'real parts':
      "Temporal's dev server with its database file, two workers, emulator (what ends by itself is started again, as a service manager does), entrypoint.sh, Caddy, dead-man.sh",
    'stand-ins':
      "the model server (it answers as llama.cpp's does, with dots, for as long as it is told); the request quota is lifted",
    measured:
      "from the emulator's ledger and the model servers' notes: a pod's end - (its last use + idle time, the stop asked for + its drain, or the end of its time to become ready)",
    versions: [
      `Devloop ${VERSION}`,
      await versionOf(temporal),
      `Caddy ${await versionOf(caddy)}`,
      `Node ${process.version}`,
    ]
      .map((version) => version?.split(' h1:')[0])
      .join(', '),
    'side by side': `${lanes} stacks on this machine`,
  };
}
