import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { processStart, type ProcessIdentity } from './processes.js';

/**
 * A shell that ends the supervisor's children when the supervisor is gone, however it went: the end of its standard input says so.
 * The last line holds the ids to end, in the order of their end; the last one is Temporal, which the others use while they end.
 * The children themselves cannot watch: Temporal is not our program.
 */
const SCRIPT = `
pids=
while read -r line; do pids=$line; done
[ -n "$pids" ] || exit 0
last=\${pids##* }
rest=\${pids% *}
[ "$rest" != "$last" ] || rest=
gone() { for pid in "$@"; do kill -0 "$pid" 2>/dev/null && return 1; done; return 0; }
wait_for() { n=0; while [ $n -lt 10 ] && ! gone "$@"; do sleep 1; n=$((n + 1)); done; }
[ -z "$rest" ] || { kill -TERM $rest 2>/dev/null; wait_for $rest; kill -KILL $rest 2>/dev/null; }
kill -TERM "$last" 2>/dev/null; wait_for "$last"; kill -KILL "$last" 2>/dev/null
exit 0
`;

export interface Leash {
  readonly identity: ProcessIdentity;
  /** Children that must end with the supervisor, Temporal last. */
  hold(children: readonly ProcessIdentity[]): void;
  /** Everything was ended in good order: the shell ends and does nothing. */
  close(): Promise<void>;
}

/** Stands in a process group of its own: a signal to the stack's group must not take it along. */
export async function startLeash(): Promise<Leash> {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'devloop-leash'], {
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(shell, 'spawn');
  const exited = once(shell, 'exit');
  // It was killed: nothing is lost but the leash, and the next start still finds what a killed supervisor left.
  shell.stdin.on('error', () => undefined);
  const pid = shell.pid ?? 0;
  return {
    identity: { pid, start: processStart(pid) ?? 'ended' },
    hold: (children) => {
      shell.stdin.write(`${children.map((child) => child.pid).join(' ')}\n`);
    },
    close: async () => {
      shell.stdin.end('\n');
      await exited;
    },
  };
}
