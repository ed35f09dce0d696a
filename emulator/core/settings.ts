import { z } from 'zod';
import { availabilityLevels } from './catalog.js';

const seconds = z.number().min(0).max(86_400);

/** What `PATCH /admin/settings` may change. They belong to the running emulator, not to the account: a restart has the defaults. */
const settingsSchema = z.strictObject({
  /** PROVISIONING lasts this long. */
  provisioningSeconds: seconds,
  /** STARTING (image pull and container start) lasts this long. */
  startingSeconds: seconds,
  /** Pause before an ended container is started again; doubles with every end in a row, at most `restartMaxBackoffSeconds`. */
  restartBackoffSeconds: seconds,
  restartMaxBackoffSeconds: seconds,
  /** From SIGTERM to SIGKILL when a container is ended. */
  stopGraceSeconds: z.number().min(0).max(60),
  /** Pods on one page of `GET /v2/pods`. */
  pageSize: z.int().min(1).max(100_000),
  /** A new pod appears in the list this long after its creation. */
  listLagSeconds: seconds,
  /** Requests per window of the account; null lifts the quota and drops its headers. */
  quota: z.strictObject({ minute: z.int().min(1), hour: z.int().min(1), day: z.int().min(1) }).nullable(),
  /** Credit left from the moment of this setting on, less what pods cost since; null means without limit. */
  balanceUsd: z.number().nullable(),
  /** Overrides by GPU id. Prices apply to pods created from now on. */
  gpus: z.record(
    z.string(),
    z.strictObject({
      availability: z.enum(availabilityLevels).optional(),
      securePriceUsd: z.number().min(0).optional(),
      communityPriceUsd: z.number().min(0).optional(),
    }),
  ),
  /** The proxy answers 524 when a pod's service sends no response headers for this long. */
  proxyTimeoutSeconds: z.number().min(0.01).max(86_400),
});

export const settingsChangeSchema = settingsSchema.partial();

export type Settings = z.infer<typeof settingsSchema>;

/** The quota is the specification's example, the proxy's limit RunPod's documented 100 s; lag and small pages are off. */
export const defaultSettings = (): Settings => ({
  provisioningSeconds: 0.3,
  startingSeconds: 0.5,
  restartBackoffSeconds: 0.2,
  restartMaxBackoffSeconds: 5,
  stopGraceSeconds: 2,
  pageSize: 1000,
  listLagSeconds: 0,
  quota: { minute: 60, hour: 3000, day: 50_000 },
  balanceUsd: null,
  gpus: {},
  proxyTimeoutSeconds: 100,
});
