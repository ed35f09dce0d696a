import type { coresdk } from '@temporalio/proto';

type Jobs = Omit<coresdk.workflow_activation.IWorkflowActivationJob, 'removeFromCache'>;
export type JobKind = keyof Jobs;

/** One thing that a workflow is told in an activation, as the SDK's workflow side takes it. */
export type Job = { [K in JobKind]: { readonly variant: K } & Readonly<Record<K, NonNullable<Jobs[K]>>> }[JobKind];

export const job = <K extends JobKind>(variant: K, attributes: NonNullable<Jobs[K]>): Job =>
  ({ variant, [variant]: attributes }) as unknown as Job;

/** The SDK's order: signals and updates come before what they may wait for; among equals the history's order holds. */
export function inSdkOrder(jobs: readonly Job[]): Job[] {
  return [...jobs].sort((a, b) => rank(a.variant) - rank(b.variant));
}

function rank(variant: JobKind): number {
  switch (variant) {
    case 'initializeWorkflow':
      return 0;
    case 'notifyHasPatch':
      return 1;
    case 'updateRandomSeed':
      return 2;
    case 'signalWorkflow':
    case 'doUpdate':
      return 3;
    case 'queryWorkflow':
      return 6;
    default:
      return 4;
  }
}
