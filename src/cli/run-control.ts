import { DevloopClient } from '../client/index.js';
import type { Config } from '../config.js';
import { DevloopError } from '../contract/index.js';
import { startControl } from '../control/control.js';
import { isLoopback } from '../control/own-address.js';
import { ensureControlToken, readStack } from '../embedded/index.js';
import { createLogger } from '../observability/logger.js';
import { surroundings } from './connect.js';
import { Interrupt, untilInterrupted } from './interrupt.js';
import { Interrupted } from './exit-codes.js';
import { externalModeLine } from './mode.js';
import type { Output } from './output.js';

export interface ControlRequest {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/**
 * The control API and the dashboard until SIGTERM or Ctrl-C. Logs go to stderr.
 * @throws DevloopError `CONFIG_INVALID` that names what is missing
 */
export async function runControl(asked: ControlRequest, out: Output): Promise<void> {
  const { config, temporal } = surroundings();
  if (temporal === undefined) throw noTemporal(config.dataDir);
  const { host = config.control.host, port = config.control.port } = asked;
  const { token, tokenFrom } = tokenOf(config, host);
  const interrupt = new Interrupt(out);
  const log = createLogger(config.logLevel, 'stderr');
  try {
    out.note(out.colors.dim(externalModeLine(temporal.address, temporal.namespace)));
    const webUi = config.temporalUiUrl ?? webUiOfStack(config.dataDir, temporal.address);
    const control = await startControl({ connect: () => DevloopClient.connect(), host, port, token, webUi, log });
    const { url } = control;
    const text = `dashboard at ${url}/, control API described in ${url}/openapi.json; token for both: ${tokenFrom}`;
    out.result({ url, tokenFrom }, text);
    out.note('Serving until Ctrl-C.');
    try {
      await untilInterrupted(new Promise<never>(() => undefined), interrupt);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      await control.close();
    }
    out.note('the control API has ended; sessions and jobs go on');
  } finally {
    interrupt.dispose();
  }
}

/** A token that nobody set on purpose is good for this machine only. */
function tokenOf({ control, dataDir }: Config, host: string): { token: string; tokenFrom: string } {
  if (control.token !== undefined) return { token: control.token, tokenFrom: 'DEVLOOP_CONTROL_TOKEN' };
  if (!isLoopback(host)) {
    throw new DevloopError(
      'CONFIG_INVALID',
      `listening on ${host} opens the control API to other machines: set DEVLOOP_CONTROL_TOKEN (16 characters or more), or listen on 127.0.0.1.`,
    );
  }
  const { token, file } = ensureControlToken(dataDir);
  return { token, tokenFrom: file };
}

/** When the Temporal in use is that of this clone's stack, the stack knows. */
function webUiOfStack(dataDir: string, address: string): string | undefined {
  const stack = readStack(dataDir);
  return stack?.temporalAddress === address ? stack.webUiUrl : undefined;
}

function noTemporal(dataDir: string): DevloopError {
  const stack = readStack(dataDir);
  const running =
    stack === undefined ? '' : ` This clone's running stack has TEMPORAL_ADDRESS=${stack.temporalAddress}`;
  return new DevloopError(
    'CONFIG_INVALID',
    `the control API needs TEMPORAL_ADDRESS (or a Temporal profile): set it in .env or the shell.${running}`,
  );
}
