/*
 * Starts processes that work on one store and one keyring, and kills them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { initRegistry, type NewRegistry, openKeybound } from '../../../src/index.js';
import { localKeyring } from '../../../src/keys/providers/local/index.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { Rng } from '../../support/rng.js';
import {
  adminNamespaces,
  dataNamespaces,
  type Line,
  now,
  passphrase,
  type Task,
  workFactor,
} from './work.js';

/** How many work at a time. */
const breadth = 4;

/** What a process said before it was killed. */
export interface Killed {
  readonly lines: readonly Line[];
  /** When it was certainly dead. */
  readonly at: number;
}

export class Kills {
  /** Where kills landed, and how often. */
  readonly landed = new Map<string, number>();
  readonly #folder: string;
  readonly #program: string;
  readonly #config: NewRegistry['config'];
  readonly #rng: Rng;
  readonly #longestLifeMs: number;
  #processes = 0;
  #batches = 0;

  private constructor(folder: string, config: NewRegistry['config'], rng: Rng, longestLifeMs: number) {
    this.#longestLifeMs = longestLifeMs;
    this.#folder = folder;
    this.#config = config;
    this.#rng = rng;
    this.#program = join(folder, 'work', 'child.mjs');
    const source = resolve(__dirname, '../../../src');
    buildSync({
      entryPoints: [join(__dirname, 'child.ts')],
      outfile: this.#program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      alias: { '#engine': join(source, 'crypto/node.ts') },
    });
  }

  /** Makes a registry in an empty folder. A life counts from when a process has opened its store and its keyring. */
  static async in(folder: string, seed: number, longestLifeMs: number): Promise<Kills> {
    mkdirSync(join(folder, 'work'));
    const keyring = localKeyring(join(folder, 'keyring.age'), { passphrase, workFactor });
    for (const name of ['service', 'recovery', 'tenant']) await keyring.createKey(name);
    const regions = { eu: { store: fileStore(join(folder, 'store')), keyLocations: ['local'] } };
    const keys = [keyring];
    const root = { key: 'local://service', recoveryKey: 'local://recovery' };
    const { config } = await initRegistry({ regions, keys, ...root });
    const keybound = openKeybound({ ...config, regions, keys });
    for (const id of [...dataNamespaces, ...adminNamespaces]) {
      await keybound.create(id, { key: 'local://tenant' });
    }
    return new Kills(folder, config, new Rng(seed), longestLifeMs);
  }

  get config(): NewRegistry['config'] {
    return this.#config;
  }

  /** Kills so many, of which always some work at a time. Resolves when all are dead. */
  async batch(count: number): Promise<{ readonly number: number; readonly killed: readonly Killed[] }> {
    const number = this.#batches++;
    const killed: Killed[] = [];
    const failures: unknown[] = [];
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (failures.length === 0 && begun++ < count) {
        // Nobody leaves before all are dead.
        await this.#one(number).then(
          (one) => killed.push(one),
          (error: unknown) => failures.push(error),
        );
      }
    };
    await Promise.all(Array.from({ length: Math.min(breadth, count) }, lane));
    if (failures.length > 0) throw failures[0];
    return { number, killed };
  }

  async #one(batch: number): Promise<Killed> {
    const number = this.#processes++;
    const task: Task = {
      folder: this.#folder,
      config: this.#config,
      process: number,
      batch,
      seed: this.#rng.below(2 ** 32),
    };
    // One in ten before it has opened anything, one in ten as soon as it works; the others wherever that finds them.
    const dice = this.#rng.below(10);
    const delay = dice === 1 ? this.#rng.below(20) : this.#rng.below(this.#longestLifeMs);
    const path = join(this.#folder, 'work', String(number));
    writeFileSync(`${path}.json`, JSON.stringify(task));
    const log = openSync(`${path}.log`, 'w');
    const child = spawn(process.execPath, [this.#program, `${path}.json`], {
      stdio: ['ignore', log, 'inherit', 'pipe'],
    });
    closeSync(log);
    const exited = once(child, 'exit');
    if (dice > 0) await Promise.race([exited, once(child.stdio[3] ?? child, 'data')]);
    await sleep(dice > 0 ? delay : delay / 10);
    child.kill('SIGKILL');
    const [code, signal] = (await exited) as [number | null, string | null];
    const at = now();
    if (signal !== 'SIGKILL') throw new Error(`a process ended by itself, with ${String(code)}`);
    const lines = linesOf(`${path}.log`);
    this.#count(lines, child.pid ?? 0);
    return { lines, at };
  }

  /** Notes what a process was doing, by its log and by what it left. */
  #count(lines: readonly Line[], pid: number): void {
    const begun = new Map<string, string>();
    for (const line of lines) {
      if (line.phase === 'begin') begun.set(line.id, line.begun.verb);
      else begun.delete(line.id);
    }
    const verbs = [...begun.values()].map((verb) => `during ${verb}`);
    const left = [...leftIn(join(this.#folder, 'store', '@tmp'), pid), ...leftIn(join(this.#folder), pid)];
    for (const place of lines.length === 0 ? ['before any work'] : verbs.length === 0 ? ['between'] : verbs) {
      this.#add(place);
    }
    for (const what of new Set(left)) this.#add(what);
  }

  #add(place: string): void {
    this.landed.set(place, (this.landed.get(place) ?? 0) + 1);
  }
}

/** Kinds of leftovers of a process in a folder. */
function leftIn(folder: string, pid: number): string[] {
  const mine = `!${String(pid)}!`;
  const entries = existsSync(folder) ? readdirSync(folder) : [];
  return entries.flatMap((name) => {
    const path = join(folder, name);
    try {
      const isFolder = statSync(path).isDirectory();
      if (name.includes(mine)) return [isFolder ? 'left a lock prepared' : 'left a file staged'];
      if (name.endsWith('.lock') && readdirSync(path).some((hold) => hold.includes(mine)))
        return ['left a lock held'];
      return name.endsWith('.tmp') && readdirSync(path).some((staged) => staged.includes(mine))
        ? ['left a keyring staged']
        : [];
    } catch {
      // Another process has swept it away meanwhile.
      return [];
    }
  });
}

/** A kill may cut the last line, but nothing else. */
function linesOf(path: string): Line[] {
  const texts = readFileSync(path, 'utf8').split('\n');
  texts.pop();
  // What child.ts writes.
  return texts.map((text) => JSON.parse(text) as Line);
}
