import { connect } from 'node:net';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/index.js';
import type { Child } from './child.js';
import { cleanEnvironment, NAMESPACE } from './child-environment.js';
import { dataPaths } from './data-dir.js';
import { freePorts } from './free-ports.js';
import { connectLocally } from './pollers.js';
import { startChild, withFreshPorts } from './start-child.js';
import type { StackChild } from './stack-types.js';

const READY_TIMEOUT_MS = 60_000;

/** The command line's names of the types that the API calls KEYWORD and DOUBLE. */
const TYPE_NAMES = { KEYWORD: 'Keyword', DOUBLE: 'Double' } as const;

/** As the Temporal SDK starts it, with a database file: killing it loses nothing. */
function commandLine(database: string, port: number, uiPort: number): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--namespace', NAMESPACE, '--db-filename', database, '--log-format', 'pretty', '--log-level', 'warn'],
    ...['--dynamic-config-value', 'frontend.enableServerVersionCheck=false'],
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([key, type]) => ['--search-attribute', `${key}=${TYPE_NAMES[type]}`]),
  ];
}

export interface TemporalServer {
  readonly child: Child<StackChild>;
  readonly address: string;
  readonly webUiUrl: string;
  readonly connection: Connection;
}

export interface ServiceOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onSpawn: (child: Child<StackChild>) => void;
}

export async function startTemporal(
  program: string,
  { dataDir, env, signal, onSpawn }: ServiceOptions,
): Promise<TemporalServer> {
  const { temporalDatabase, logsDir } = dataPaths(dataDir);
  const logFile = join(logsDir, 'temporal.log');
  return withFreshPorts(logFile, async () => {
    const [port = 0, uiPort = 0] = await freePorts(2);
    const address = `127.0.0.1:${port}`;
    const { child, ready } = await startChild({
      spec: {
        name: 'temporal',
        command: program,
        args: commandLine(temporalDatabase, port, uiPort),
        env: cleanEnvironment(env),
        cwd: dataDir,
        logFile,
      },
      probe: () => answeringConnection(port, address),
      timeoutMs: READY_TIMEOUT_MS,
      signal,
      wayOut: `If its database is damaged, move ${temporalDatabase} away (sessions in it are forgotten) and start again.`,
      onSpawn,
    });
    return { child, address, webUiUrl: `http://127.0.0.1:${uiPort}`, connection: ready };
  });
}

/** A bare connect is cheap; the gRPC client waits long before it tries a refused port again. */
async function answeringConnection(port: number, address: string): Promise<Connection | undefined> {
  if (!(await listens(port))) return undefined;
  const connection = await connectLocally(address, 2000).catch(() => undefined);
  if (connection === undefined) return undefined;
  try {
    await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
    return connection;
  } catch {
    await connection.close();
    return undefined;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
