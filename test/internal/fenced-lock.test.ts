import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeAbandonedLock, withFencedLock, type FencedLock } from '../../src/internal/fenced-lock.js';
import { newTag } from '../../src/internal/process-tag.js';
import { tagOfTheDead } from '../support/dead-process.js';

let base: string;
let scratch: string;
let lockPath: string;
let target: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'keybound-lock-'));
  scratch = join(base, 'scratch');
  lockPath = join(base, 'lock');
  target = join(base, 'target');
  mkdirSync(scratch);
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

const locked = <T>(work: (lock: FencedLock) => Promise<T>, signal?: AbortSignal): Promise<T> =>
  withFencedLock(lockPath, scratch, signal, work);

function staged(content: string): string {
  const path = join(base, `staged ${content}`);
  writeFileSync(path, content);
  return path;
}

/** What someone does who takes the holder for dead, and then changes the target. */
function steal(content: string): void {
  renameSync(lockPath, join(scratch, 'stolen'));
  writeFileSync(`${target} of the thief`, content);
  renameSync(`${target} of the thief`, target);
}

function expectClean(): void {
  expect(existsSync(lockPath)).toBe(false);
  expect(readdirSync(scratch).filter((name) => name !== 'stolen')).toEqual([]);
}

describe('a fenced lock', () => {
  it('lets its holder make, replace and remove a file', async () => {
    await locked((lock) => lock.replace(target, staged('first')));
    expect(readFileSync(target, 'utf8')).toBe('first');
    await locked((lock) => lock.replace(target, staged('second')));
    expect(readFileSync(target, 'utf8')).toBe('second');
    expect(await locked((lock) => lock.remove(target))).toBe(true);
    expect(await locked((lock) => lock.remove(target))).toBe(false);
    expectClean();
  });

  it('lets its holder make several changes', async () => {
    const other = join(base, 'other');
    await locked(async (lock) => {
      await lock.replace(target, staged('a'));
      await lock.replace(other, staged('b'));
      await lock.remove(target);
      await lock.remove(other);
    });
    expect([existsSync(target), existsSync(other)]).toEqual([false, false]);
    expectClean();
  });

  it('has one holder at a time', async () => {
    let holders = 0;
    const work = async (): Promise<void> => {
      expect(++holders).toBe(1);
      await sleep(1);
      holders--;
    };
    await Promise.all(Array.from({ length: 20 }, () => locked(work)));
    expectClean();
  });

  it('is let go when the work fails, with the error of the work', async () => {
    await expect(locked(() => Promise.reject(new Error('work')))).rejects.toThrow('work');
    await expect(locked((lock) => lock.replace(target, join(base, 'missing')))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expectClean();
  });

  it('is waited for until the signal aborts', async () => {
    await locked(async () => {
      await expect(locked(() => Promise.resolve(), AbortSignal.timeout(20))).rejects.toMatchObject({
        code: 'aborted',
      });
    });
    expectClean();
  });

  it('runs the work of a holder that lost it again, and keeps its first run from replacing', async () => {
    const seen: (string | null)[] = [];
    await locked(async (lock) => {
      seen.push(existsSync(target) ? readFileSync(target, 'utf8') : null);
      if (seen.length === 1) steal('thief');
      await lock.replace(target, staged('holder'));
    });
    expect(seen).toEqual([null, 'thief']);
    expect(readFileSync(target, 'utf8')).toBe('holder');
    expectClean();
  });

  it('keeps a holder that lost it from removing', async () => {
    writeFileSync(target, 'before');
    let runs = 0;
    const removed = await locked(async (lock) => {
      if (++runs === 1) steal('thief');
      else expect(readFileSync(target, 'utf8')).toBe('thief');
      return lock.remove(target);
    });
    expect([removed, runs]).toEqual([true, 2]);
  });

  it('keeps a holder from doing harm while another one holds it', async () => {
    let runs = 0;
    const order: string[] = [];
    const slow = locked(async (lock) => {
      if (++runs === 1) {
        renameSync(lockPath, join(scratch, 'stolen'));
        await locked(async (other) => {
          order.push('other');
          await expect(lock.replace(target, staged('slow'))).rejects.toThrow();
          expect(existsSync(target)).toBe(false);
          await other.replace(target, staged('other'));
        });
      }
      order.push(readFileSync(target, 'utf8'));
      await lock.replace(target, staged('slow'));
    });
    await slow;
    expect(order).toEqual(['other', 'other', 'other']);
    expect(readFileSync(target, 'utf8')).toBe('slow');
    expectClean();
  });

  it('is taken from a process of this machine that is gone, with all that it left', async () => {
    const hold = join(lockPath, tagOfTheDead());
    mkdirSync(hold, { recursive: true });
    linkSync(staged('left'), join(hold, 'new'));
    // Sooner than it would be taken from one that is merely slow.
    const soon = AbortSignal.timeout(5000);
    await locked((lock) => lock.replace(target, staged('next')), soon);
    expect(readFileSync(target, 'utf8')).toBe('next');
    expectClean();
  });

  it('is free when only its folder is left', async () => {
    mkdirSync(lockPath);
    await locked((lock) => lock.replace(target, staged('next')));
    expectClean();
  });

  it('leaves alone who holds it after it was lost', async () => {
    const other = join(lockPath, 'someone!1!else');
    await locked(() => {
      renameSync(lockPath, join(scratch, 'stolen'));
      mkdirSync(other, { recursive: true });
      return Promise.resolve();
    });
    expect(existsSync(other)).toBe(true);
  });

  it('is let go with whatever its holder took away, folders too', async () => {
    mkdirSync(join(target, 'below'), { recursive: true });
    writeFileSync(join(target, 'below', 'file'), 'x');
    expect(await locked((lock) => lock.remove(target))).toBe(true);
    expect(existsSync(target)).toBe(false);
    expectClean();
  });

  it('leaves nothing prepared behind when there is no place for its folder', async () => {
    const nowhere = withFencedLock(join(base, 'missing', 'lock'), scratch, undefined, () =>
      Promise.resolve(),
    );
    await expect(nowhere).rejects.toMatchObject({ code: 'ENOENT' });
    expectClean();
  });

  it('passes on what the work did even if it cannot be let go', async () => {
    const other = join(base, 'other');
    const done = locked(async (lock) => {
      await lock.replace(target, staged('done'));
      // A file where the lock's folder was: nothing can be renamed in it.
      renameSync(lockPath, other);
      writeFileSync(lockPath, '');
      return 'done';
    });
    expect(await done).toBe('done');
    expect(readFileSync(target, 'utf8')).toBe('done');
  });

  it('is freed without being asked for, if its holder is dead, and only then', async () => {
    for (const holder of [newTag(), 'elsewhere!4999999!0011']) {
      mkdirSync(join(lockPath, holder), { recursive: true });
      await freeAbandonedLock(lockPath, false);
      expect(readdirSync(lockPath)).toEqual([holder]);
      await freeAbandonedLock(lockPath, true);
      expectClean();
    }
    const hold = join(lockPath, tagOfTheDead());
    mkdirSync(hold, { recursive: true });
    linkSync(staged('left'), join(hold, 'new'));
    await freeAbandonedLock(lockPath, false);
    expectClean();
    mkdirSync(lockPath);
    await freeAbandonedLock(lockPath, false);
    await freeAbandonedLock(lockPath, false);
    expectClean();
  });

  it('is not taken from a process of another machine at once', async () => {
    mkdirSync(join(lockPath, 'elsewhere!4999999!0011'), { recursive: true });
    await expect(locked(() => Promise.resolve(), AbortSignal.timeout(100))).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
