import type { NativeConnection } from '@temporalio/worker';
import { DevloopError, SEARCH_ATTRIBUTES } from './contract/index.js';

/** `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_VALUE_TYPES = { KEYWORD: 2, DOUBLE: 4 } as const;
const CLI_TYPES = { KEYWORD: 'Keyword', DOUBLE: 'Double' } as const;
const OWNER_SUFFIX_CHARACTERS = 8;
/** A namespace learns of new search attributes within seconds. */
const REGISTRATION_LOOKS = 20;
const LOOK_EVERY_MS = 500;

/**
 * Sees to it that the namespace knows our search attributes: an unknown one fails workflow tasks for ever.
 * @throws DevloopError `CONFIG_INVALID` with the commands to run, where this worker may not register them
 */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  let missing = await missingAttributes(connection, namespace);
  if (missing.length === 0) return;
  try {
    const searchAttributes = Object.fromEntries(
      missing.map((name) => [name, INDEXED_VALUE_TYPES[SEARCH_ATTRIBUTES[name]]]),
    );
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    for (let look = 0; look < REGISTRATION_LOOKS && missing.length > 0; look++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      missing = await missingAttributes(connection, namespace);
    }
  } catch (error) {
    throw registrationError(namespace, missing, error);
  }
  if (missing.length > 0) throw registrationError(namespace, missing);
}

type AttributeName = keyof typeof SEARCH_ATTRIBUTES;

async function missingAttributes(connection: NativeConnection, namespace: string): Promise<AttributeName[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return (Object.keys(SEARCH_ATTRIBUTES) as AttributeName[]).filter((name) => !(name in (customAttributes ?? {})));
}

function registrationError(namespace: string, missing: readonly AttributeName[], cause?: unknown): DevloopError {
  const commands = missing.map(
    (name) =>
      `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${CLI_TYPES[SEARCH_ATTRIBUTES[name]]}`,
  );
  const message = `namespace ${namespace} lacks search attributes and this worker could not add them. Run:\n${commands.join('\n')}`;
  return new DevloopError('CONFIG_INVALID', message, { cause });
}

/**
 * One control plane: the configured owner and the end of the namespace's UUID. Its beginning is a time stamp, alike for
 * two servers that were started in the same minute.
 */
export async function controlPlaneOwner(
  connection: NativeConnection,
  namespace: string,
  owner: string,
): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  const id = namespaceInfo?.id?.replaceAll('-', '') ?? '';
  if (id.length < OWNER_SUFFIX_CHARACTERS) {
    throw new DevloopError(
      'CONFIG_INVALID',
      `Temporal shows no id of namespace ${namespace}; pods could not be told apart`,
    );
  }
  return `${owner}-${id.slice(-OWNER_SUFFIX_CHARACTERS)}`;
}
