import type { Chart as ChartType } from 'chart.js';

/** The script before ours has put it there. */
declare const Chart: typeof ChartType;

export interface Bars {
  readonly labels: readonly string[];
  /** Stacked on each other. */
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const charts = new Map<string, ChartType>();

/** Bars in the colours of the page's style, which differ in the dark. */
export function drawBars(id: string, { labels, series }: Bars): void {
  const canvas = document.querySelector<HTMLCanvasElement>(`#${id}`);
  if (canvas === null) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stacked: true, grid: { color: colour('--line') }, ticks: { color: colour('--text') } };
  charts.get(id)?.destroy();
  const datasets = series.map(({ name, values }, at) => ({
    label: name,
    data: [...values],
    backgroundColor: colour(`--series-${(at % 6) + 1}`),
    maxBarThickness: 48,
  }));
  const chart = new Chart(canvas, {
    type: 'bar',
    data: { labels: [...labels], datasets },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      plugins: { legend: { display: series.length > 1, labels: { color: colour('--text') } } },
      scales: {
        x: axis,
        y: { ...axis, beginAtZero: true, title: { display: true, text: 'US dollars', color: colour('--text') } },
      },
    },
  });
  charts.set(id, chart);
}
