import { ScheduleNotFoundError } from '@temporalio/client';
import { REAPER_SCHEDULE_ID } from '../contract/index.js';
import type { Temporal } from './temporal.js';

/** The reaper's Schedule: whether it runs, and when it last started a round (ISO 8601 UTC). */
export interface ReaperState {
  readonly state: 'running' | 'paused' | 'absent';
  readonly lastRoundAt: string | undefined;
}

export async function reaperState(temporal: Temporal, signal?: AbortSignal): Promise<ReaperState> {
  try {
    const handle = temporal.client.schedule.getHandle(REAPER_SCHEDULE_ID);
    const { state, info } = await temporal.call(() => handle.describe(), signal);
    const lastRoundAt = info.recentActions.at(-1)?.takenAt.toISOString();
    return { state: state.paused ? 'paused' : 'running', lastRoundAt };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { state: 'absent', lastRoundAt: undefined };
    throw error;
  }
}
