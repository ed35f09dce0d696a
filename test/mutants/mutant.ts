/** What keeps a GPU from leaking: the never-leak rules, then the protections in a session's life. */
export const RULES = {
  'deadlines first': 'every deadline is fixed, and on the pod, before the pod is; none ever moves',
  'two tags': 'name and environment alone find, adopt and end a pod',
  'no blind create': 'a create is never repeated without a look, nor sent by a process that was frozen',
  'gone means seen gone': 'only complete listings and GET prove an end; ending is never given up',
  'unknown is neither': 'a lease ends with its holder; who cannot be asked is neither idle nor busy',
  'three killers': "the session's timers, the reaper and reap, and the pod's own switch",
  'the reaper': "RunPod's list decides, twice; unknown is kept, strangers are not touched",
  'terminate, not stop': 'what is stopped still costs and is ended; EXITED pods are told of',
  'keys stay off': 'no account key on a pod, no token in a history, no pod replaced for a 401',
  'one quota': 'a fifth of the request quota is kept for ending pods',
  'use is authenticated': 'only requests with the token, and touches, are use',
  create: 'a session rents once, within its caps, for those who still wait',
  boot: 'a pod is ready when it serves what was asked for, armed, within its time',
  serve: 'leases in turn, and the idle time counted from the last real use',
  'pod lost': 'a lost pod is given up and replaced, for those who need it, within limits',
  stop: 'a session ends for a reason, drains within its bounds and ends its pod',
  stuck: 'a pod that RunPod does not end is tried for ever, told of, and holds up nobody',
  jobs: 'a job asks again, gives back, and ends by its own time',
  signals: 'every message is delivered before a run ends, and nothing is lost when it continues as new',
} as const;
export type Rule = keyof typeof RULES;

/** One protection taken out of one file. The search text stands there exactly once. */
export interface Mutant {
  readonly name: string;
  readonly rule: Rule;
  /** For people: what is missing now. */
  readonly takenOut: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
  readonly killedBy: TestKill;
  /**
   * It lives in what the simulation runs, which has to find it too. `beside`: other protections stand in for it; with those
   * taken out as well a story fails that they alone do not.
   */
  readonly alsoSimulation?: true | { readonly beside: readonly string[] };
  /** The fault or the scene without which it hardly shows: the other stories need not be told. */
  readonly showsWith?: string;
}

export interface TestKill {
  readonly file: string;
  /** Of a test, or of what it is part of; without it the whole file runs. */
  readonly name?: string;
}

/** @param file without the folder `test` and the ending */
export function by(file: string, name?: string): TestKill {
  return { file: `test/${file}.test.ts`, ...(name !== undefined && { name }) };
}

/** What is taken out along with it where the simulation has to find it. */
export function besideOf({ alsoSimulation }: Mutant, all: readonly Mutant[]): Mutant[] {
  if (typeof alsoSimulation !== 'object') return [];
  return alsoSimulation.beside.map((name) => {
    const other = all.find((one) => one.name === name);
    if (!other) throw new Error(`there is no mutant ${name}`);
    return other;
  });
}

/** It cannot be made: its text has moved, or what comes of it does not compile. */
export interface Invalid {
  readonly verdict: 'invalid';
  readonly why: string;
}

/** What it searches for is not where it was. */
export class StaleMutant extends Error {}

/** The file's text with the protection taken out. @throws StaleMutant when the searched text is not there, or more than once */
export function mutated(text: string, { name, file, search, replace }: Mutant): string {
  const found = text.split(search).length - 1;
  if (found !== 1)
    throw new StaleMutant(`mutant ${name}: its text stands in ${file} ${found} times, not once. Bring it up to date.`);
  return text.replace(search, () => replace);
}
