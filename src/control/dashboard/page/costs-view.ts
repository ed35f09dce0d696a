import { get } from './api.js';
import { find, make, say } from './dom.js';
import { drawBars } from './plots.js';
import { usd } from './words.js';

/** Of `GET /costs`, what is shown here. */
export interface Costs {
  readonly since: string;
  readonly totalUsd: number;
  readonly shares: { readonly busyUsd: number; readonly bootUsd: number; readonly idleUsd: number };
  readonly perDay: readonly {
    readonly day: string;
    readonly usd: number;
    readonly byProject: readonly { readonly project: string; readonly usd: number }[];
  }[];
  readonly perProject: readonly { readonly project: string; readonly usd: number }[];
  readonly problems: readonly string[];
}

let shown: Costs | undefined;

/** Asks for the costs and shows them; where there are none, says why. */
export async function showCosts(): Promise<void> {
  const sum = find('#costs-sum', HTMLElement);
  try {
    shown = await get<Costs>('/costs');
  } catch (error) {
    say(sum, `What was spent before is not known: ${error instanceof Error ? error.message : ''}`);
    return;
  }
  say(sum, sumOf(shown));
  draw();
}

/** Again in the present colours. */
export function draw(): void {
  if (shown === undefined) return;
  const { perDay, perProject } = shown;
  find('#plots', HTMLElement).hidden = perDay.length === 0 && perProject.length === 0;
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

function sumOf({ since, totalUsd, shares: { busyUsd, bootUsd, idleUsd }, problems }: Costs): string {
  const words = `Since ${since.slice(0, 10)}: ${usd(totalUsd)}, of it ${usd(busyUsd)} in use, ${usd(bootUsd)} booting, ${usd(idleUsd)} idle.`;
  return problems.length === 0 ? words : `${words} Not all is known: ${problems.join('; ')}.`;
}

function fillTable(id: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const head = make('tr', {}, ...heads.map((text) => make('th', { scope: 'col' }, text)));
  const body = rows.map((row) => make('tr', {}, ...row.map((text) => make('td', {}, text))));
  find(`#${id}`, HTMLTableElement).replaceChildren(make('thead', {}, head), make('tbody', {}, ...body));
}
