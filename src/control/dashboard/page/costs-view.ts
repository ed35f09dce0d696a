import type { CostReport } from '../../../cost/cost-report.js';
import { get, wordsOf } from './api.js';
import { find, make, say } from './dom.js';
import { drawBars } from './plots.js';
import type { Store } from './store.js';
import { clock, usd } from './words.js';

/** Long enough to see a habit, short enough to read. */
const SINCE = '14d';

/** Asks for the costs and shows them; where there are none, says why. */
export async function showCosts(store: Store): Promise<void> {
  const sum = find('#costs-sum', HTMLElement);
  try {
    store.costs = await get<CostReport>(`/costs?since=${SINCE}`);
  } catch (error) {
    say(sum, `What was spent before is not known: ${wordsOf(error)}`);
    return;
  }
  say(sum, sumOf(store.costs));
  drawCosts(store);
}

/** Again in the present colours. */
export function drawCosts({ costs }: Store): void {
  if (costs === undefined) return;
  const { perDay, perProject, totalUsd } = costs;
  find('#plots', HTMLElement).hidden = totalUsd === 0;
  const projects = perProject.map(({ project }) => project);
  drawBars('per-day', {
    labels: perDay.map(({ day }) => day),
    series: projects.map((project) => ({
      name: project,
      values: perDay.map(({ byProject }) => byProject.find((part) => part.project === project)?.usd ?? 0),
    })),
  });
  drawBars('per-project', {
    labels: projects,
    series: [{ name: 'US dollars', values: perProject.map((part) => part.usd) }],
  });
  const days = perDay.map(({ day, usd: amount, byProject }) => {
    const parts = byProject.map((part) => `${part.project} ${usd(part.usd)}`).join(', ');
    return [day, usd(amount), parts];
  });
  fillTable('per-day-table', ['Day', 'Cost', 'By project'], days);
  fillTable(
    'per-project-table',
    ['Project', 'Cost'],
    perProject.map(({ project, usd: amount }) => [project, usd(amount)]),
  );
}

function sumOf({ since, until, totalUsd, shares: { busyUsd, bootUsd, idleUsd }, problems }: CostReport): string {
  const words = `From ${since.slice(0, 10)} up to ${clock(until)} today: ${usd(totalUsd)}, of it ${usd(busyUsd)} in use, ${usd(bootUsd)} booting, ${usd(idleUsd)} idle.`;
  return problems.length === 0 ? words : `${words} Not all is known: ${problems.join('; ')}.`;
}

function fillTable(id: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const head = make('tr', {}, ...heads.map((text) => make('th', { scope: 'col' }, text)));
  const body = rows.map((row) => make('tr', {}, ...row.map((text) => make('td', {}, text))));
  find(`#${id}`, HTMLTableElement).replaceChildren(make('thead', {}, head), make('tbody', {}, ...body));
}
