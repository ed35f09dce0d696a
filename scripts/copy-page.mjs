import { cpSync, readdirSync } from 'node:fs';

/** What the compiler leaves behind of the dashboard's page. */
const from = new URL('../src/control/dashboard/page/', import.meta.url);
const to = new URL('../dist/src/control/dashboard/page/', import.meta.url);
for (const name of readdirSync(from)) {
  if (name.endsWith('.html') || name.endsWith('.css')) cpSync(new URL(name, from), new URL(name, to));
}
