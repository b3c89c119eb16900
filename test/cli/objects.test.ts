import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Desk, desk } from './support.js';

let at: Desk;
beforeAll(async () => {
  at = await desk();
});

/** The one file of the store that holds an object of this name. */
function storedFile(desk: Desk, name: string): string {
  const files = readdirSync(desk.path('keybound-store'), { recursive: true, encoding: 'utf8' });
  const found = files.filter((file) => file.endsWith(`/${name}@`));
  expect(found).toHaveLength(1);
  return desk.path('keybound-store', found[0] ?? '');
}

describe('put and get', () => {
  it('carry bytes from the standard input to the standard output', async () => {
    const body = randomBytes(300_000);
    await at.done(['put', 'acme', 'random'], { stdin: body });
    expect((await at.done(['get', 'acme', 'random'])).bytes.equals(body)).toBe(true);
    await at.done(['put', 'acme', 'empty', '-']);
    expect((await at.done(['get', 'acme', 'empty', '-o', '-'])).bytes).toHaveLength(0);
  });

  it('carry files, with a context and metadata', async () => {
    writeFileSync(at.path('in.txt'), 'some text');
    const context = ['--context', 'customer=42', '--context', 'note=a=b'];
    const put = await at.done([
      'put',
      'acme',
      'doc',
      'in.txt',
      ...context,
      '--content-type',
      'text/plain',
      '--pair',
      'a=1',
      '--json',
    ]);
    expect(put.json).toMatchObject([{ namespace: 'acme', name: 'doc', size: 9 }]);
    await at.done(['get', 'acme', 'doc', '-o', 'out.txt', ...context]);
    expect(readFileSync(at.path('out.txt'), 'utf8')).toBe('some text');
    expect(await at.refused(['get', 'acme', 'doc'])).toEqual(['integrity-failure', 6]);
    expect(await at.refused(['get', 'acme', 'doc', '--context', 'customer=43'])).toEqual([
      'integrity-failure',
      6,
    ]);
  });

  it.each([
    ['0-4', 'hello'],
    ['6-', 'world'],
    ['-5', 'world'],
    ['4-4', 'o'],
    ['6-999', 'world'],
    ['-999', 'hello world'],
    ['-0', ''],
  ])('get bytes %s, counted as in HTTP', async (range, text) => {
    await at.done(['put', 'acme', 'hello'], { stdin: 'hello world' });
    expect((await at.done(['get', 'acme', 'hello', '--range', range])).stdout).toBe(text);
  });

  it.each([
    '',
    '-',
    '5-3',
    'a-b',
    '1',
    '1-2-3',
    '--5',
    '-1-2',
    '1.5-2',
    '99999999999999999999-',
    '0x1-2',
    '1e3-',
  ])('refuse the range %j', async (range) => {
    expect(await at.refused(['get', 'acme', 'hello', `--range=${range}`])).toEqual(['invalid-argument', 2]);
  });

  it('refuse a range past the end, and store names and versions that do not exist', async () => {
    expect(await at.refused(['get', 'acme', 'hello', '--range', '12-'])).toEqual([
      'range-not-satisfiable',
      2,
    ]);
    expect(await at.refused(['get', 'acme', 'none'])).toEqual(['object-not-found', 3]);
    expect(await at.refused(['get', 'nobody', 'none'])).toEqual(['namespace-not-found', 3]);
    expect(await at.refused(['get', 'acme', 'hello', '--of-version', '0'.repeat(32)])).toEqual([
      'object-changed',
      4,
    ]);
    expect(await at.refused(['get', 'acme', 'hello', '--region', 'us'])).toEqual(['invalid-argument', 2]);
  });

  it('replace only what was meant', async () => {
    const { json } = await at.done(['put', 'acme', 'cas', '--if-absent', '--json'], { stdin: '1' });
    const version = String(json[0]?.['version']);
    expect(await at.refused(['put', 'acme', 'cas', '--if-absent'])).toEqual(['object-exists', 4]);
    await at.done(['put', 'acme', 'cas', '--if-version', version], { stdin: '2' });
    expect(await at.refused(['put', 'acme', 'cas', '--if-version', version])).toEqual([
      'precondition-failed',
      4,
    ]);
    expect((await at.done(['get', 'acme', 'cas'])).stdout).toBe('2');
  });

  it('refuse files that cannot be read', async () => {
    mkdirSync(at.path('folder'));
    expect(await at.refused(['put', 'acme', 'x', 'folder'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['put', 'acme', 'x', 'hello', '--recursive'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['put', 'acme', 'x', 'no-such-file'])).toEqual(['invalid-argument', 2]);
    const failing = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('the pipe broke');
      })(),
    );
    expect(await at.refused(['put', 'acme', 'x'], { stdin: failing })).toEqual(['source-failed', 9]);
    expect(await at.refused(['get', 'acme', 'x'])).toEqual(['object-not-found', 3]);
  });

  it('leave no half file behind when an object turns out to be damaged', async () => {
    writeFileSync(at.path('kept.txt'), 'kept');
    await at.done(['put', 'acme', 'damaged'], { stdin: randomBytes(100_000) });
    truncateSync(storedFile(at, 'damaged'), 60_000);
    expect(await at.refused(['get', 'acme', 'damaged', '-o', 'kept.txt'])).toEqual(['integrity-failure', 6]);
    expect(readFileSync(at.path('kept.txt'), 'utf8')).toBe('kept');
    expect(readdirSync(at.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(await at.refused(['get', 'acme', 'hello', '-o', 'no/such/folder'])).toEqual([
      'invalid-argument',
      2,
    ]);
    await at.done(['rm', 'acme', 'damaged']);
  });

  it('write into what is no regular file, through links, and keep the mode of a file', async () => {
    await at.done(['put', 'acme', 'hello'], { stdin: 'hello world' });
    writeFileSync(at.path('private'), 'old', { mode: 0o600 });
    symlinkSync('private', at.path('link'));
    await at.done(['get', 'acme', 'hello', '-o', 'link']);
    expect(readFileSync(at.path('private'), 'utf8')).toBe('hello world');
    expect(statSync(at.path('private')).mode & 0o777).toBe(0o600);
    expect(lstatSync(at.path('link')).isSymbolicLink()).toBe(true);
    symlinkSync('/dev/null', at.path('device'));
    await at.done(['get', 'acme', 'hello', '-o', 'device']);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    mkdirSync(at.path('taken'));
    expect(await at.refused(['get', 'acme', 'hello', '-o', 'taken'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['get', 'acme', 'hello', '-o', 'private/x'])).toEqual(['invalid-argument', 2]);
    const long = '漢'.repeat(80);
    await at.done(['get', 'acme', 'hello', '-o', long]);
    expect(readFileSync(at.path(long), 'utf8')).toBe('hello world');
  });

  it('store nothing when interrupted', async () => {
    const controller = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield Buffer.alloc(100_000);
        controller.abort(new Error('interrupted'));
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      })(),
    );
    expect(await at.refused(['put', 'acme', 'never'], { stdin: endless, signal: controller.signal })).toEqual(
      ['aborted', 130],
    );
    expect((await at.done(['ls', 'acme', 'never'])).stdout).toBe('');
  });

  it('end quietly when nobody reads on', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    closed.on('error', () => undefined);
    const ran = await at.run(['get', 'acme', 'hello'], { stdout: closed });
    expect([ran.status, ran.stderr]).toEqual([141, '']);
  });

  it('show how far they are on a terminal, and nothing of it elsewhere', async () => {
    const slow = (): Readable =>
      Readable.from(
        (async function* () {
          for (let i = 0; i < 6; i++) {
            await new Promise((resolve) => setTimeout(resolve, 120));
            yield Buffer.alloc(100_000);
          }
        })(),
      );
    const shown = await at.done(['put', 'acme', 'slow'], { stdin: slow(), terminal: true });
    expect(shown.stderr).toMatch(/slow \d+ KiB, \d+ KiB\/s/);
    expect(shown.stderr.endsWith('\r\x1b[K')).toBe(true);
    for (const quiet of [{ terminal: false }, { terminal: true }]) {
      const args = ['put', 'acme', 'slow', ...(quiet.terminal ? ['--quiet'] : [])];
      expect((await at.done(args, { stdin: slow(), ...quiet })).stderr).toBe('');
    }
  });
});

describe('names', () => {
  const names = [
    '..',
    '../../etc/passwd',
    '/absolute',
    'trailing.',
    'trailing ',
    ' ',
    '.',
    'a\nb',
    '😀'.repeat(128),
    'a\u202eb',
    'C:\\x',
    'a//b',
  ];

  it.each(names)('%j is as good as any', async (name) => {
    await at.done(['put', 'acme', name], { stdin: `body of ${name}` });
    expect((await at.done(['get', 'acme', name])).stdout).toBe(`body of ${name}`);
    const listed = await at.done(['ls', 'acme', name, '--json']);
    expect(listed.json.map((entry) => entry['name'])).toContain(name);
    await at.done(['rm', 'acme', name]);
  });

  it.each([
    ['an empty one', ''],
    ['one of 516 bytes', '😀'.repeat(129)],
    ['a lone surrogate', 'a\ud800'],
  ])('%s is refused', async (_, name) => {
    expect(await at.refused(['put', 'acme', name])).toEqual(['invalid-argument', 2]);
  });

  it('cannot steer the terminal they are listed on', async () => {
    await at.done(['put', 'acme', 'evil\x1b[2J\u202ename'], { stdin: 'x' });
    const { stdout } = await at.done(['ls', 'acme', 'evil']);
    expect(stdout).toBe('"evil\\u001b[2J\\u{202e}name"\n');
    await at.done(['rm', 'acme', 'evil\x1b[2J\u202ename']);
  });

  it.each(['a', '-x', 'a b', 'é', 'a/b', 'a'.repeat(129), '__proto__!'])(
    'of a namespace: %j is refused',
    async (id) => {
      expect(await at.refused(['ls', '--', id])).toEqual(['invalid-argument', 2]);
    },
  );
});

describe('contexts', () => {
  it.each([
    ['a key twice', ['--context', 'a=1', '--context', 'a=2']],
    ['no key', ['--context', '=1']],
    ['no value', ['--context', 'a']],
    ['33 pairs', Array.from({ length: 33 }, (_, i) => ['--context', `k${String(i)}=v`]).flat()],
    ['9 KiB', ['--context', `a=${'x'.repeat(9000)}`]],
    ['a lone surrogate', ['--context', 'a=\udc00']],
  ])('with %s are refused', async (_, context) => {
    expect(await at.refused(['put', 'acme', 'x', ...context])).toEqual(['invalid-argument', 2]);
  });
});

describe('folders', () => {
  it('go in and come out again', async () => {
    mkdirSync(at.path('tree/deep/er'), { recursive: true });
    writeFileSync(at.path('tree/one'), '1');
    writeFileSync(at.path('tree/deep/two'), '2');
    writeFileSync(at.path('tree/deep/er/three'), '');
    symlinkSync('/etc/passwd', at.path('tree/link'));
    const put = await at.done(['put', 'acme', 'tree', 'tree', '--recursive', '--json']);
    expect(put.json.map(({ name }) => name).sort()).toEqual([
      'tree/deep/er/three',
      'tree/deep/two',
      'tree/one',
    ]);
    await at.done(['get', 'acme', 'tree/', '-o', 'out', '--recursive']);
    expect(readFileSync(at.path('out/tree/deep/two'), 'utf8')).toBe('2');
    expect(readFileSync(at.path('out/tree/deep/er/three'), 'utf8')).toBe('');
    expect((await at.done(['verify', 'acme', 'tree/', '--recursive', '--json'])).json).toHaveLength(3);
    expect((await at.done(['rm', 'acme', 'tree/', '--recursive'])).stdout.split('\n')).toHaveLength(4);
    expect((await at.done(['ls', 'acme', 'tree/'])).stdout).toBe('');
  });

  it('are never left by a hostile name, and the other objects come out all the same', async () => {
    for (const name of ['t/fine', 't/../../escaped', 't//double', 't/a/../../../b', 't/nul\0']) {
      await at.done(['put', 'acme', name], { stdin: name });
    }
    const ran = await at.run(['get', 'acme', 't/', '-o', 'hostile', '--recursive']);
    expect(ran.status).toBe(2);
    expect(ran.stderr.match(/expected the names of objects to be paths below/g)).toHaveLength(4);
    expect(readdirSync(at.path('hostile'), { recursive: true })).toEqual(['t', join('t', 'fine')]);
    expect(existsSync(at.path('escaped'))).toBe(false);
  });

  it('need a place to come out at', async () => {
    expect(await at.refused(['get', 'acme', 't', '--recursive'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['get', 'acme', 't', '--recursive', '-o', 'x', '--range', '0-1'])).toEqual([
      'invalid-argument',
      2,
    ]);
  });
});

describe('verify', () => {
  it('finds the damaged among the authentic, and prints nothing of either', async () => {
    const other = await desk();
    for (const name of ['one', 'two', 'three'])
      await other.done(['put', 'acme', name], { stdin: `secret ${name}` });
    truncateSync(storedFile(other, 'two'), 200);
    const ran = await other.run(['verify', 'acme', '--recursive', '--json']);
    expect(ran.status).toBe(6);
    expect(ran.json.map(({ name, authentic }) => [name, authentic])).toEqual([
      ['one', true],
      ['three', true],
    ]);
    expect(ran.stderr).toMatch(/"two\\*"/);
    expect(ran.stdout + ran.stderr).not.toMatch(/secret/);
    expect(await other.refused(['verify', 'acme'])).toEqual(['invalid-argument', 2]);
    await other.done(['verify', 'acme', 'one', 'three']);
    expect(await other.refused(['rm', 'acme', '', '--recursive'])).toEqual(['invalid-argument', 2]);
    await other.done(['rm', 'acme', '', '--recursive', '--yes']);
    expect((await other.done(['ls', 'acme'])).stdout).toBe('');
  });
});
