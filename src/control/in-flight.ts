import type { ServerResponse } from 'node:http';
import { DevloopError } from '../contract/index.js';

/** Requests that are being answered: each is given up when its asker hangs up, all of them when the server ends. */
export class InFlight {
  private readonly open = new Set<AbortController>();
  private ending = false;

  /** @throws DevloopError `CONTROL_BUSY` once the server ends */
  enter(response: ServerResponse): AbortSignal {
    if (this.ending) throw ended();
    const controller = new AbortController();
    this.open.add(controller);
    response.once('close', () => {
      this.open.delete(controller);
      if (!response.writableFinished) controller.abort(new DevloopError('CONTROL_BUSY', 'the asker has hung up'));
    });
    return controller.signal;
  }

  /** From here on nobody enters. */
  refuseOthers(): void {
    this.ending = true;
  }

  abort(): void {
    for (const controller of this.open) controller.abort(ended());
  }
}

function ended(): DevloopError {
  return new DevloopError('CONTROL_BUSY', 'the control API is ending; what was asked for goes on, ask again later');
}
