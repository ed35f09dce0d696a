import type { Operation } from './fault-kinds.js';

/** Every call that the emulator answers under `/v2`. */
export type RouteName =
  | 'list-pods'
  | 'create-pod'
  | 'get-pod'
  | 'update-pod'
  | 'delete-pod'
  | 'pod-action'
  | 'pod-logs'
  | 'list-gpus'
  | 'get-gpu'
  | 'list-data-centers'
  | 'pod-billing'
  | 'list-templates'
  | 'create-template'
  | 'get-template';

interface Resource {
  readonly pattern: RegExp;
  readonly methods: Readonly<Record<string, RouteName>>;
}

const resources: readonly Resource[] = [
  { pattern: /^\/v2\/pods$/, methods: { GET: 'list-pods', POST: 'create-pod' } },
  { pattern: /^\/v2\/pods\/([^/]+)$/, methods: { GET: 'get-pod', PATCH: 'update-pod', DELETE: 'delete-pod' } },
  { pattern: /^\/v2\/pods\/([^/]+)\/action$/, methods: { POST: 'pod-action' } },
  { pattern: /^\/v2\/pods\/([^/]+)\/logs$/, methods: { GET: 'pod-logs' } },
  { pattern: /^\/v2\/catalog\/gpus$/, methods: { GET: 'list-gpus' } },
  { pattern: /^\/v2\/catalog\/gpus\/([^/]+)$/, methods: { GET: 'get-gpu' } },
  { pattern: /^\/v2\/catalog\/datacenters$/, methods: { GET: 'list-data-centers' } },
  { pattern: /^\/v2\/billing\/pods$/, methods: { GET: 'pod-billing' } },
  { pattern: /^\/v2\/templates$/, methods: { GET: 'list-templates', POST: 'create-template' } },
  { pattern: /^\/v2\/templates\/([^/]+)$/, methods: { GET: 'get-template' } },
];

/** `unknown`: no such path. `wrong-method`: the path exists, `allow` says with which methods. */
export type Match =
  | { readonly kind: 'route'; readonly name: RouteName; readonly id: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function matchRoute(method: string, path: string): Match {
  for (const { pattern, methods } of resources) {
    const found = pattern.exec(path);
    if (!found) continue;
    const name = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (name === undefined) return { kind: 'wrong-method', allow: Object.keys(methods).join(', ') };
    return { kind: 'route', name, id: decoded(found[1] ?? '') };
  }
  return { kind: 'unknown' };
}

const podOperations: Partial<Record<RouteName, Operation>> = {
  'list-pods': 'list',
  'create-pod': 'create',
  'get-pod': 'get',
  'update-pod': 'update',
  'delete-pod': 'terminate',
  'pod-logs': 'logs',
};

/** The operation as faults name it. Which one an action is stands in its body: a broken body makes it `other`. */
export function operationOf(route: RouteName, body: string | undefined): Operation {
  if (route !== 'pod-action') return podOperations[route] ?? 'other';
  const action = /"action"\s*:\s*"(start|stop|restart|terminate)"/.exec(body ?? '')?.[1];
  return (action as Operation | undefined) ?? 'other';
}
