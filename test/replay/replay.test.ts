import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';

const folder = new URL('./histories/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
const workflowBundle = { codePath: fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url)) };

// A workflow that was started by an older version goes on with this one: every recorded history must replay for ever.
describe('recorded histories', () => {
  it('are there', () => {
    expect(files.length).toBeGreaterThanOrEqual(5);
  });

  it.each(files)('%s', async (file) => {
    const history = read(file);
    await expect(Worker.runReplayHistory({ workflowBundle }, history, workflowId(history))).resolves.not.toThrow();
  });

  it('a changed order of commands is noticed', async () => {
    const history = read(files.find((name) => name.startsWith('pod-session'))!);
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes);
    scheduled!.activityTaskScheduledEventAttributes!.activityType.name = 'anotherActivity';
    await expect(Worker.runReplayHistory({ workflowBundle }, history, workflowId(history))).rejects.toThrow(
      /nondeterminism/i,
    );
  });
});

interface History {
  events: {
    workflowExecutionStartedEventAttributes?: { workflowId: string };
    activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  }[];
}

function read(file: string): History {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as History;
}

/** A lease's id is made of it, so a replay under another id would go another way. */
function workflowId({ events }: History): string {
  return events[0]!.workflowExecutionStartedEventAttributes!.workflowId;
}
