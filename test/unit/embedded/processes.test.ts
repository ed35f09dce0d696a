import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endProcesses, isRunning, ownIdentity, processStart } from '../../../src/embedded/processes.js';
import { isAlive, waitUntil } from '../../support/processes.js';

const started: ChildProcess[] = [];

async function startShell(script: string) {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, output: output.toString().trim(), identity: { pid: child.pid!, start: processStart(child.pid!)! } };
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe('process identity', () => {
  it('is the same for every look and differs for a process that has the same id but another start', () => {
    const own = ownIdentity();
    expect(processStart(process.pid)).toBe(own.start);
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, start: `${own.start}0` })).toBe(false);
  });

  it('is undefined for a process that ended', async () => {
    const { child, identity } = await startShell('echo up');
    if (child.exitCode === null) await once(child, 'exit');
    expect(processStart(identity.pid)).toBeUndefined();
  });

  it('is undefined for a zombie, which the kernel still lists', async () => {
    // The shell starts a child that ends, and becomes a program that never asks for it.
    const { output } = await startShell('sleep 3 & echo $!; exec sleep 300');
    const zombie = Number(output);
    expect(processStart(zombie)).toBeDefined();
    await waitUntil(() => processStart(zombie) === undefined, { what: 'the child has ended' });
    // Signal 0 only asks whether the kernel knows it.
    expect(process.kill(zombie, 0)).toBe(true);
    expect(isAlive(zombie)).toBe(false);
  });
});

describe('endProcesses', () => {
  it('lets a process end itself by SIGTERM', async () => {
    const { child, identity } = await startShell('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done');
    const exited = once(child, 'exit');
    expect(await endProcesses([identity], 60_000)).toEqual([]);
    expect(await exited).toEqual([7, null]);
  });

  it('kills one that ignores SIGTERM when the grace is over', async () => {
    const { child, identity } = await startShell('trap "" TERM; echo up; while :; do sleep 0.05; done');
    const exited = once(child, 'exit');
    expect(await endProcesses([identity], 200)).toEqual([]);
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  it('leaves a process alone that merely has the same id', async () => {
    const { identity } = await startShell('echo up; exec sleep 30');
    expect(await endProcesses([{ ...identity, start: 'another' }], 200)).toEqual([]);
    expect(isRunning(identity)).toBe(true);
  });
});
