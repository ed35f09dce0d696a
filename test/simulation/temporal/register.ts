import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Loaded before everything else (`node --import`): the SDK's cancellation scopes take their storage from the global
 * scope when their module is first loaded, where Temporal's worker injects it into the workflow's sandbox.
 */
Object.assign(globalThis, { AsyncLocalStorage });
