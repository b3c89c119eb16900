/*
 * The long form of test/concurrency: more than 5,000 interleavings, and eight processes of their own.
 */
import { buildSync } from 'esbuild';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Readable, type Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initRegistry, type Keybound, openKeybound } from '../../src/index.js';
import { localKeys } from '../../src/keys/providers/local/index.js';
import { namespacesFolder } from '../../src/storage/layout.js';
import { fileStore } from '../../src/storage/stores/file/index.js';
import { administrators } from '../concurrency/administrators.js';
import { explore } from '../concurrency/explore.js';
import { creators, mixedWriters, plainWriters, readers, replacers } from '../concurrency/objects.js';
import { type Report, type Setting } from '../concurrency/process.js';

/** Beyond those of the short form. */
const first = 1001;

describe('64 writers of one name', () => {
  explore('all succeed, and the last one’s whole body stays', plainWriters, 600, first);
  explore('one creates it, the others are told that it exists', creators, 800, first);
  explore('one replaces the version that all name', replacers, 800, first);
  explore('with mixed conditions: each holds when it counts', mixedWriters, 900, first);
});

describe('64 readers of an object that is overwritten and deleted', () => {
  explore('each gets the bytes of one version, or is told that it went', readers, 1600, first);
});

describe('eight processes in one, that create, suspend, resume, rotate, put and get', () => {
  explore('end as the documents allow, and lose nothing', administrators, 400, first);
});

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** One of the processes: what it said, and when it next says that it is ready. */
interface Worker {
  readonly child: Child;
  readonly reports: Report[];
  readonly ended: Promise<number>;
  ready(): Promise<void>;
}

describe('eight processes on one file store', () => {
  let root: string;
  let script: string;
  const source = resolve(__dirname, '../..');
  const children = new Set<Child>();

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'keybound-processes-'));
    script = join(root, 'process.mjs');
    buildSync({
      entryPoints: [join(source, 'test/concurrency/process.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      alias: { '#engine': join(source, 'src/crypto/node.ts') },
    });
  });
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(root, { recursive: true });
  });

  function start(setting: string, name: string, seed: number): Worker {
    const child = spawn(process.execPath, [script, setting, name, String(seed)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.add(child);
    const reports: Report[] = [];
    const waiting: (() => void)[] = [];
    let readies = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      // The program beside this one wrote it.
      const report = JSON.parse(line) as Report;
      if (report.type !== 'ready') reports.push(report);
      else if (waiting.length > 0) waiting.shift()?.();
      else readies++;
    });
    const ended = once(child, 'exit').then(([code]) => {
      children.delete(child);
      return Number(code ?? -1);
    });
    const ready = (): Promise<void> => {
      if (readies-- > 0) return Promise.resolve();
      readies = 0;
      const said = new Promise<void>((done) => waiting.push(done));
      const died = ended.then((code) =>
        expect.fail(`${name} ended with ${String(code)} before it was ready`),
      );
      return Promise.race([said, died]);
    };
    return { child, reports, ended, ready };
  }

  /** Runs all of them to their end, with a suspension in it that all must notice. */
  async function run(setting: string, keybound: Keybound): Promise<Report[]> {
    const workers = Array.from({ length: 8 }, (_, i) => start(setting, `process-${String(i)}`, 100 + i));
    const order = (text: string): void => {
      for (const { child } of workers) child.stdin.write(`${text}\n`);
    };
    await Promise.all(workers.map((one) => one.ready()));
    const acme = await keybound.open('acme');
    await acme.resume();
    order('go on');
    await Promise.all(workers.map((one) => one.ready()));
    await acme.suspend();
    const suspendedAt = Date.now();
    for (const [i, { child }] of workers.entries()) child.stdin.write(i % 2 === 0 ? 'purge\n' : 'wait\n');
    expect(await Promise.all(workers.map((one) => one.ended))).toEqual(workers.map(() => 0));
    for (const [i, { reports }] of workers.entries()) {
      const refused = reports.find((one) => one.type === 'refused');
      // Time for a process to be scheduled, beside the lease itself.
      expect((refused?.at ?? Infinity) - suspendedAt).toBeLessThan(i % 2 === 0 ? 2000 : 32_000);
    }
    await acme.resume();
    return workers.flatMap((one) => one.reports);
  }

  it('end as the documents allow, and lose nothing', async () => {
    const folder = join(root, 'store');
    mkdirSync(folder);
    const material = Object.fromEntries(
      ['service', 'recovery', 'acme'].map((name) => [name, randomBytes(32).toString('hex')]),
    );
    const store = fileStore(folder);
    const regions = { eu: { store, keyLocations: ['local'] } };
    const keys = [localKeys(material)];
    const { config } = await initRegistry({
      regions,
      keys,
      key: 'local://service',
      recoveryKey: 'local://recovery',
    });
    const setting: Setting = { config, folder, keys: material, actions: 120 };
    const settingFile = join(root, 'setting.json');
    writeFileSync(settingFile, JSON.stringify(setting));
    const open = (): Keybound => openKeybound({ ...config, regions, keys });

    const reports = await run(settingFile, open());

    const outcomes = reports.flatMap((one) => (one.type === 'outcome' ? [`${one.call}: ${one.code}`] : []));
    expect(outcomes.filter((one) => one === 'create: done')).toHaveLength(1);
    for (const met of [
      'rotate: done',
      'rotate: namespace-changed',
      'put: done',
      'put: namespace-suspended',
      'get: done',
    ]) {
      expect(outcomes).toContain(met);
    }
    const acme = await open().open('acme');
    const { epoch, generations } = await acme.describe();
    const made = reports.flatMap((one) => (one.type === 'made' ? [one.epoch] : []));
    // Three more are this test's own: resume, unless it was active, suspend, resume.
    expect(new Set(made).size).toBeGreaterThanOrEqual(epoch - 3);
    for (const { number } of generations) {
      const wraps = await store.list(`${namespacesFolder(config.registry)}/acme/wraps/${String(number)}`);
      expect(wraps.entries).toHaveLength(1);
    }
    const kept = reports.flatMap((one) => (one.type === 'kept' ? [one] : []));
    expect(kept.length).toBeGreaterThan(20);
    for (const { name, version, digest } of kept) {
      const object = await acme.get(name);
      expect(object.version).toBe(version);
      expect(
        createHash('sha512')
          .update(await object.bytes())
          .digest('hex'),
      ).toBe(digest);
    }
  });
});
