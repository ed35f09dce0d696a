/** Tells so many stories from a seed on: `main.js <from> <count>`. One JSON document on stdout. */
import { costStory } from './story.js';

const [from = 0, count = 0] = process.argv.slice(2).map(Number);
Error.stackTraceLimit = 0;
const total = {
  stories: 0,
  sessions: 0,
  looks: 0,
  leases: 0,
  furtherPods: 0,
  overMidnight: 0,
  usd: 0,
  problems: [] as string[],
};
for (let seed = from; seed < from + count; seed++) {
  const { problems, sessions, looks, leases, furtherPods, overMidnight, usd } = await costStory(seed);
  total.stories += 1;
  total.sessions += sessions;
  total.looks += looks;
  total.leases += leases;
  total.furtherPods += furtherPods;
  total.overMidnight += overMidnight ? 1 : 0;
  total.usd += usd;
  total.problems.push(...problems.map((problem) => `seed ${seed}: ${problem}`));
}
process.stdout.write(`${JSON.stringify(total)}\n`);
