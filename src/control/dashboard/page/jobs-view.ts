import type { JobOverview } from '../../overview/schemas.js';
import { workflowLink } from './answers.js';
import { find, make, say, sync } from './dom.js';
import type { Store } from './store.js';
import { span, usd } from './words.js';

const COLUMNS = [
  'Job',
  'Session',
  'Agent',
  'Project',
  'Wait',
  'Run',
  'Tokens a second',
  'Cost share',
  'State',
] as const;

/** The last ten jobs. */
export function showJobs(store: Store): void {
  const jobs = store.overview?.jobs ?? [];
  const shares = new Map(store.costs?.jobs.map(({ jobId, usd: share }) => [jobId, share]));
  find('#no-jobs', HTMLElement).hidden = jobs.length > 0 || store.overview === undefined;
  const table = find('#jobs', HTMLTableElement);
  table.hidden = jobs.length === 0;
  const create = (jobId: string): HTMLElement => {
    const row = make('tr', { role: 'row' });
    for (const column of COLUMNS) row.append(make('td', { role: 'cell', 'data-label': column }));
    const name = jobId.length > 16 ? `${jobId.slice(0, 8)}…` : jobId;
    const label = `job ${jobId} in Temporal's Web UI`;
    row.firstElementChild?.append(workflowLink(store, `agent-job/${jobId}`, name, label) ?? make('span', {}, name));
    return row;
  };
  const rows = sync(
    find('tbody', HTMLElement, table),
    jobs.map(({ jobId }) => jobId),
    create,
  );
  rows.forEach((row, at) => {
    const job = jobs[at];
    if (job === undefined) return;
    row.dataset.state = job.state;
    cells(job, shares.get(job.jobId)).forEach((text, column) => {
      const cell = row.children[column + 1];
      if (cell !== undefined) say(cell, text);
    });
  });
}

/** @param share of what its session has cost; before that is known, its own run at the pod's price */
function cells(job: JobOverview, share: number | undefined): string[] {
  const { session, agent, project, waitSeconds, runSeconds, tokensPerSecond, costUsd, state, failure } = job;
  const cost = share ?? costUsd;
  return [
    session ?? '–',
    agent ?? '–',
    project ?? '–',
    waitSeconds === undefined ? '–' : span(waitSeconds),
    runSeconds === undefined ? '–' : `${runSeconds.toFixed(1)} s`,
    tokensPerSecond === undefined ? '–' : tokensPerSecond.toFixed(1),
    cost === undefined ? '–' : usd(cost),
    failure === undefined ? state : `${state}: ${failure.code}: ${failure.message}`,
  ];
}
