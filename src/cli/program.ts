import { Command } from 'commander';
import { addCancel } from './commands/cancel.js';
import { addControl } from './commands/control.js';
import { addCost } from './commands/cost.js';
import { addDev } from './commands/dev.js';
import { addDoctor } from './commands/doctor.js';
import { addExec } from './commands/exec.js';
import { addGpus } from './commands/gpus.js';
import { addJobs } from './commands/jobs.js';
import { addLog } from './commands/log.js';
import { addLogs } from './commands/logs.js';
import { addPods } from './commands/pods.js';
import { addProxy } from './commands/proxy.js';
import { addReap } from './commands/reap.js';
import { addRun } from './commands/run.js';
import { addStartSession } from './commands/start-session.js';
import { addStatus } from './commands/status.js';
import { addStop } from './commands/stop.js';
import { addWorker } from './commands/worker.js';
import { VERSION } from '../version.js';

const EPILOGUE = `
Exit codes: 0 ok · 1 failed · 2 usage or configuration · 3 RunPod or Temporal unreachable, nothing concluded · 4 found something · 130 interrupted
With --json stdout holds exactly one JSON document, {"error": {"code", "message"}} when the command failed; all else goes to stderr.

In this clone: npm run devloop -- <command> [options]`;

/** The whole command line. Commands load what they need when they run, so that help is quick. */
export function buildProgram(): Command {
  const program = new Command('devloop')
    .description('Ask for a GPU, use it from any project, and never pay for one that nobody uses.')
    .version(VERSION, '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .option('--json', 'print one JSON document on stdout')
    .option('--quiet', 'print nothing but results and errors')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .addHelpText('after', EPILOGUE)
    .exitOverride();
  const use = [addStartSession, addRun, addExec, addProxy];
  const see = [addStatus, addJobs, addLogs, addCost, addGpus, addPods];
  const end = [addStop, addCancel, addReap];
  const operate = [addDev, addWorker, addControl, addDoctor, addLog];
  for (const add of [...use, ...see, ...end, ...operate]) add(program);
  return program;
}
