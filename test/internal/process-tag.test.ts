import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isOfDeadProcess, newTag } from '../../src/internal/process-tag.js';
import { deadProcess, tagOfTheDead } from '../support/dead-process.js';

/** The module as another process, or another machine, has it: `world` stands in for the parts of Node that it asks. */
async function elsewhere(world: {
  readonly hostname?: string;
  readonly boot?: string;
  readonly namespace?: string;
  readonly noProc?: boolean;
}): Promise<{ newTag: typeof newTag; isOfDeadProcess: typeof isOfDeadProcess }> {
  const gone = (): never => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  vi.resetModules();
  vi.doMock('node:os', () => ({ hostname: () => world.hostname ?? 'host' }));
  vi.doMock('node:fs', () => ({
    readFileSync: () => (world.noProc === true ? gone() : (world.boot ?? 'boot')),
    readlinkSync: () => (world.noProc === true ? gone() : (world.namespace ?? 'pid:[1]')),
  }));
  return import('../../src/internal/process-tag.js');
}

afterEach(() => {
  vi.doUnmock('node:os');
  vi.doUnmock('node:fs');
  vi.resetModules();
  vi.restoreAllMocks();
});

describe('a tag of a process', () => {
  it('is a file name anywhere, and never the same', () => {
    const tags = Array.from({ length: 1000 }, newTag);
    expect(new Set(tags).size).toBe(1000);
    for (const tag of tags) expect(tag).toMatch(/^[0-9a-f]{32}!\d{1,10}![0-9a-f]{24}$/);
    expect(tags.join()).not.toContain(hostname());
  });

  it('is that of a living process while it lives, and of a dead one after that', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    const tag = tagOfTheDead(child.pid);
    expect(isOfDeadProcess(newTag())).toBe(false);
    expect(isOfDeadProcess(tag)).toBe(false);
    child.kill('SIGKILL');
    await exited;
    expect(isOfDeadProcess(tag)).toBe(true);
  });

  it('is that of a living process in all of its threads', async () => {
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage(process.pid)", {
      eval: true,
    });
    const [id] = (await once(worker, 'message')) as [number];
    await worker.terminate();
    expect(isOfDeadProcess(tagOfTheDead(id))).toBe(false);
  });

  it('is that of a living process if that is somebody else’s', () => {
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    expect(isOfDeadProcess(tagOfTheDead(1))).toBe(false);
  });

  it('is of nobody known to be dead unless it is whole, and of this machine', () => {
    const kill = vi.spyOn(process, 'kill');
    const [host = ''] = newTag().split('!');
    const id = String(deadProcess());
    for (const name of [
      '',
      'plain',
      `${host}!${id}`,
      `${host}!-1!00`,
      `${host}!0!00`,
      `${host}!1e3!00`,
      `${host}!99999999999!00`,
      `${host.slice(1)}!${id}!00`,
      `x${host}!${id}!00`,
      `${host.replace(/./, (digit) => (digit === '0' ? '1' : '0'))}!${id}!00`,
    ]) {
      expect([name, isOfDeadProcess(name)]).toEqual([name, false]);
    }
    expect(kill).not.toHaveBeenCalled();
  });
});

describe.runIf(process.platform === 'linux')('a tag of a process on Linux', () => {
  const here = {};
  it.each([
    ['a host name', { hostname: 'other' }],
    ['a boot', { boot: 'other' }],
    ['a process id namespace', { namespace: 'pid:[2]' }],
    ['nothing that tells', { noProc: true }],
  ])('of another process with %s of its own is not taken for dead', async (_, there) => {
    const dead = String(deadProcess());
    const foreign = (await elsewhere(there)).newTag().replace(/!\d+!/, `!${dead}!`);
    const local = (await elsewhere(here)).newTag().replace(/!\d+!/, `!${dead}!`);
    const { isOfDeadProcess: judge } = await elsewhere(here);
    expect([judge(foreign), judge(local)]).toEqual([false, true]);
  });

  it('of two processes that cannot tell where they are is never taken for dead', async () => {
    const other = (await elsewhere({ noProc: true })).newTag();
    const { isOfDeadProcess: judge } = await elsewhere({ noProc: true });
    expect(judge(other.replace(/!\d+!/, `!${String(deadProcess())}!`))).toBe(false);
  });
});
