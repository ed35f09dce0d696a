import { NativeConnection, Worker } from '@temporalio/worker';
import { devloopRunnerStory } from './story-teller.js';

const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const worker = await Worker.create({
  connection,
  namespace: process.env.TEMPORAL_NAMESPACE ?? 'default',
  taskQueue: 'story-teller',
  activities: { devloopRunnerStory },
});
await worker.run();
