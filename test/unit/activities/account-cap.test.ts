import { describe, expect, it } from 'vitest';
import type { OperatorCaps } from '../../../src/limits.js';
import {
  codeOf,
  dependencies,
  nameOf,
  NO_CAPS,
  planFor,
  RTX_3090,
  RTX_4090,
  runAttempt,
  sessionSpec,
  startInput,
} from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

const ofOthers = (session: string): string => nameOf({ session, owner: 'somebody-00000000' });

function start(runpod: VirtualRunPod, caps: Partial<OperatorCaps>, attempt = 1) {
  const candidates = [
    { gpu: RTX_4090, costPerHourUsd: 0.69 },
    { gpu: RTX_3090, costPerHourUsd: 0.46 },
  ];
  const input = startInput(runpod, {
    spec: sessionSpec({ gpus: [RTX_4090, RTX_3090] }),
    plan: planFor(runpod, { candidates }),
  });
  const deps = dependencies(runpod, { caps: { ...NO_CAPS, ...caps } });
  return runAttempt(runpod, 'startPod', input, deps, { attempt });
}

describe("the account's cap on pods", () => {
  it('refuses for good, with the figures and the way out, before anything is asked for', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent(ofOthers('a'));
    runpod.rent(nameOf({ session: 'b' }));
    const { failure } = await start(runpod, { accountPods: 2 });
    expect(codeOf(failure)).toEqual({ code: 'ACCOUNT_CAP', final: true, nothingCreated: true });
    expect(failure?.message).toMatch(
      /^DEVLOOP_MAX_PODS: .* 2 living pods .*\$1\.38 an hour.* cap is 2\..*devloop stop/,
    );
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('counts neither strangers nor pods that have ended', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent('somebody-elses-notebook');
    runpod.end(runpod.rent(ofOthers('a')));
    const { result } = await start(runpod, { accountPods: 1 });
    expect(result?.pod?.gpu).toBe(RTX_4090);
  });

  it('does not stand in the way of the pod that an earlier attempt made', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.rent(ofOthers('a'));
    const { result } = await start(runpod, { accountPods: 1, accountUsdPerHour: 0.1 }, 2);
    expect(result?.pod?.id).toBe(podId);
  });

  it('does not claim that nothing was created when an earlier attempt may have', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent(ofOthers('a'));
    const { failure } = await start(runpod, { accountPods: 1 }, 2);
    expect(codeOf(failure)).toEqual({ code: 'ACCOUNT_CAP', final: true, nothingCreated: false });
  });
});

describe("the account's cap on dollars an hour", () => {
  it('passes over what is too much and takes what fits', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent(ofOthers('a'));
    const { result } = await start(runpod, { accountUsdPerHour: 1.2 });
    expect(result?.pod).toMatchObject({
      gpu: RTX_3090,
      passedOver: [expect.stringMatching(/RTX 4090: .*DEVLOOP_MAX_USD_PER_HOUR \(\$1\.2\)/) as string],
    });
  });

  it('refuses when nothing fits', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent(ofOthers('a'));
    const { failure } = await start(runpod, { accountUsdPerHour: 1.14 });
    expect(codeOf(failure)).toMatchObject({ code: 'ACCOUNT_CAP', final: true });
    expect(failure?.message).toMatch(/^DEVLOOP_MAX_USD_PER_HOUR: .*\$0\.69 an hour.*RTX 3090 \$0\.46.*cap of \$1\.14/);
  });
});
