/*
 * The packed tarball in projects of other people: every kind of module, of TypeScript, of runtime. Each does the job of
 * runtimes/job.ts and reads what the first of them wrote; at the end the first one reads what all of them left.
 *
 * Installs into temporary folders, from the registry that npm is configured with: the tarball and its dependencies,
 * node 20, 22 and 24 (those that this is not), typescript, ts-node, esbuild, jest, bun and deno. What cannot be installed
 * is skipped, and said; KEYBOUND_REQUIRE_ALL=1 makes that a failure. What is installed and fails, fails.
 */
import { build, type BuildOptions, transform } from 'esbuild';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import {
  type Files,
  folderWith,
  install,
  installProgram,
  NotInstalled,
  run,
  tell,
} from './runtimes/install.js';

const project = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(project, path), 'utf8');
const job = read('test/full/runtimes/job.ts');
const root = mkdtempSync(join(tmpdir(), 'keybound-runtimes-'));
const notChecked: string[] = [];
let tarball = '';

beforeAll(async () => {
  await run(['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', root], project);
  tarball = join(root, readdirSync(root).find((file) => file.endsWith('.tgz')) ?? 'no tarball');
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
  for (const line of notChecked) tell(`NOT CHECKED: ${line}`);
});

type Lazy<T> = () => Promise<T>;

/** Made when first asked for, once. */
function lazy<T>(make: Lazy<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Runs a test's body; what needs something that cannot be installed is skipped, and said. */
async function checked(context: TestContext, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof NotInstalled) || process.env['KEYBOUND_REQUIRE_ALL'] === '1') throw error;
    notChecked.push(`${context.task.name}: ${error.message}`);
    context.skip(error.message);
  }
}

/** A project of its own, with the tarball and other packages installed. */
const consumer = (name: string, packages: readonly string[], files: Files): Lazy<string> =>
  lazy(async () => {
    const folder = folderWith(join(root, name), { 'package.json': { private: true }, ...files });
    await install(folder, [tarball, ...packages]);
    return folder;
  });

/** A program that runs JavaScript: its path, then its first arguments. */
interface Runtime {
  readonly name: string;
  readonly program: Lazy<readonly string[]>;
}

/** One that comes from npm: the package, and its program in node_modules. */
const runtime = (name: string, specifier: string, program: string, ...options: string[]): Runtime => ({
  name,
  program: lazy(async () => {
    const folder = folderWith(join(root, `with ${name}`), { 'package.json': { private: true } });
    const path = await installProgram(folder, specifier, program);
    const [version] = (await run([path, '--version'], folder)).split('\n');
    tell(`${name} is ${version ?? ''}`);
    return [path, ...options];
  }),
});

const thisMajor = process.versions.node.replace(/\..*/, '');
const thisNode: Runtime = { name: `Node ${thisMajor}`, program: () => Promise.resolve([process.execPath]) };
const nodes = ['20', '22', '24'].map((major) =>
  major === thisMajor
    ? thisNode
    : runtime(`Node ${major}`, `n${major}@npm:node@${major}`, `n${major}/bin/node`),
);
const bun = runtime('bun', 'bun', '.bin/bun', 'run');
const deno = runtime('deno', 'deno', '.bin/deno', 'run', '--node-modules-dir=manual', '-A');

const plain = lazy(async () => {
  const compiled = async (format: 'esm' | 'cjs'): Promise<string> =>
    (await transform(job, { loader: 'ts', format })).code;
  return consumer('plain', [], {
    'job.ts': job,
    'job.mjs': await compiled('esm'),
    'job.cjs': await compiled('cjs'),
  })();
});

const folders: string[] = [];

/** Does the job in a new folder, and then with what lies in others. */
async function doJob(
  { program }: Runtime,
  cwd: string,
  script: readonly string[],
  others: readonly string[],
): Promise<string> {
  const own = join(root, `data-${String(folders.length)}`);
  const said = await run([...(await program()), ...script], cwd, {
    KEYBOUND_JOB: JSON.stringify([own, ...others]),
  });
  expect(said).toMatch(/"done":true/);
  folders.push(own);
  return own;
}

/** What this Node leaves for the others to read. */
const first = lazy(async () => doJob(thisNode, await plain(), ['job.mjs'], []));

describe('a project that installs the tarball', () => {
  const kinds = [
    { kind: 'ESM', script: 'job.mjs' },
    { kind: 'CommonJS', script: 'job.cjs' },
  ];
  const typed = [...kinds, { kind: 'TypeScript as it is', script: 'job.ts' }];
  const cases = [
    ...nodes.flatMap((on) => kinds.map((one) => ({ on, ...one }))),
    ...[bun, deno].flatMap((on) => typed.map((one) => ({ on, ...one }))),
  ];
  for (const { on, kind, script } of cases) {
    it(`does its job on ${on.name}, ${kind}`, (context) =>
      checked(context, async () => {
        await doJob(on, await plain(), [script], [await first()]);
      }));
  }
});

describe('the installed command line', () => {
  for (const on of [...nodes, bun, deno]) {
    it(`stores and reads on ${on.name}`, (context) =>
      checked(context, async () => {
        const cli = join(await plain(), 'node_modules/keybound/dist/cli.mjs');
        const cwd = folderWith(join(root, `command line on ${on.name}`), { 'hello.txt': 'hello' });
        const program = await on.program();
        const keybound = (...args: string[]): Promise<string> =>
          run([...program, cli, ...args], cwd, { KEYBOUND_PASSPHRASE: 'for this test only' });
        await keybound('init', '--work-factor', '12');
        await keybound('key', 'create', 'acme');
        await keybound('namespace', 'create', 'acme', '--key', 'local://acme', '--owner', 'Acme');
        await keybound('put', 'acme', 'greeting', 'hello.txt');
        expect(await keybound('get', 'acme', 'greeting')).toBe('hello');
        await keybound('key', 'disable', 'acme');
        await expect(keybound('get', 'acme', 'greeting')).rejects.toThrow(/key-revoked/);
      }));
  }
});

describe('a project in TypeScript', () => {
  const shared = {
    strict: true,
    exactOptionalPropertyTypes: true,
    // The declarations of the package are checked too, without the DOM's.
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
  };
  const nodenext = { ...shared, module: 'nodenext' };
  const part = (name: string, type: 'module' | 'commonjs', compilerOptions: object): Files => ({
    [`${name}/package.json`]: { type },
    [`${name}/tsconfig.json`]: { compilerOptions, files: ['job.ts'] },
    [`${name}/job.ts`]: job,
  });
  const folder = consumer('typescript', ['typescript@5.9', 'ts-node@10', '@types/node@20', 'esbuild@0.27'], {
    ...part('esm', 'module', { ...nodenext, outDir: 'out' }),
    ...part('cjs', 'commonjs', { ...nodenext, outDir: 'out' }),
    ...part('older', 'commonjs', {
      ...shared,
      module: 'commonjs',
      moduleResolution: 'node10',
      esModuleInterop: true,
      outDir: 'out',
    }),
    ...part('bundler', 'module', {
      ...shared,
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022', 'dom'],
      noEmit: true,
    }),
    'project/package.json': { type: 'commonjs' },
    'project/tsconfig.json': { compilerOptions: nodenext, include: ['examples'] },
    // The quickstart encrypts the project it lies in.
    ...Object.fromEntries(
      ['examples/quickstart.ts', 'examples/first-object.ts', 'README.md', 'LICENSE'].map((path) => [
        `project/${path}`,
        read(path),
      ]),
    ),
  });
  const compile = async (name: string): Promise<string> => {
    const cwd = await folder();
    await run([process.execPath, 'node_modules/typescript/bin/tsc', '-p', name], cwd);
    return join(cwd, name);
  };

  const compiled = [
    { kind: 'NodeNext, as ESM', name: 'esm' },
    { kind: 'NodeNext, as CommonJS', name: 'cjs' },
    { kind: 'the resolution of before exports maps', name: 'older' },
  ];
  for (const { kind, name } of compiled) {
    it(`compiles with ${kind}, and does its job`, (context) =>
      checked(context, async () => {
        await doJob(thisNode, await compile(name), ['out/job.js'], [await first()]);
      }));
  }

  it('compiles with bundler resolution, and its bundle does the job', (context) =>
    checked(context, async () => {
      const cwd = await compile('bundler');
      const options = ['--bundle', '--platform=node', '--format=esm', '--outfile=bundle.mjs'];
      await run([join(await folder(), 'node_modules/.bin/esbuild'), 'job.ts', ...options], cwd);
      await doJob(thisNode, cwd, ['bundle.mjs'], [await first()]);
    }));

  const tsNode = '../node_modules/ts-node/dist/bin.js';
  it('does its job with ts-node', (context) =>
    checked(context, async () => {
      const cwd = join(await folder(), 'cjs');
      await doJob(thisNode, cwd, [tsNode, 'job.ts'], [await first()]);
    }));

  it('runs the README’s first object with ts-node, its types checked', (context) =>
    checked(context, async () => {
      const cwd = join(await folder(), 'project');
      const env = { KEYBOUND_PASSPHRASE: 'for this test only' };
      const said = await run([process.execPath, tsNode, 'examples/first-object.ts'], cwd, env);
      expect(said).toMatch(/^hello$/m);
      expect(said).toMatch(/is disabled/);
    }));

  const quickstarts = [
    { on: thisNode, name: 'ts-node', script: [tsNode, '--transpile-only', 'examples/quickstart.ts'] },
    { on: bun, name: 'bun', script: ['examples/quickstart.ts'] },
    // It takes TypeScript for ESM, and the quickstart is CommonJS.
    { on: deno, name: 'deno, compiled', script: ['examples/quickstart.cjs'] },
  ];
  for (const { on, name, script } of quickstarts) {
    it(`runs the quickstart on ${name}`, (context) =>
      checked(context, async () => {
        const cwd = join(await folder(), 'project');
        const { code } = await transform(read('examples/quickstart.ts'), { loader: 'ts', format: 'cjs' });
        folderWith(cwd, { 'examples/quickstart.cjs': code });
        const said = await run([...(await on.program()), ...script], cwd);
        expect(said).toMatch(/^Done: /m);
        expect(said.match(/refused: [a-z-]+$/gm)).toHaveLength(7);
      }));
  }
});

describe('a project that tests with Jest 30', () => {
  const folder = lazy(async () =>
    consumer('jest', ['jest@30'], {
      'package.json': { private: true, jest: { transform: {} } },
      'job.cjs': readFileSync(join(await plain(), 'job.cjs'), 'utf8'),
      'job.test.js': `
        const { job } = require('./job.cjs');
        test('does its job', () => job(process.env.OWN, [process.env.FIRST]), 60_000);
        test('errors are known by any copy of the class', () => {
          const { KeyboundError } = require('keybound');
          jest.resetModules();
          expect(new KeyboundError('aborted', 'for this test')).toBeInstanceOf(require('keybound').KeyboundError);
        });`,
    })(),
  );

  it('does its job there, as CommonJS and with no transforms', (context) =>
    checked(context, async () => {
      const own = join(root, `data-${String(folders.length)}`);
      const env = { OWN: own, FIRST: await first() };
      await run([process.execPath, 'node_modules/jest/bin/jest.js', '--ci'], await folder(), env);
      folders.push(own);
    }));
});

describe('the portable engine', () => {
  const withoutNode = `for (const name of ['process', 'Buffer', 'global', 'setImmediate']) delete globalThis[name];`;

  /** A bundle as for a runtime that does not call itself Node. */
  async function portable(file: string, options: BuildOptions): Promise<string> {
    const { metafile } = await build({
      stdin: { contents: read(`test/full/runtimes/${file}`), loader: 'ts', resolveDir: await plain() },
      bundle: true,
      metafile: true,
      format: 'esm',
      logLevel: 'silent',
      outfile: join(await plain(), file.replace('.ts', '.portable.mjs')),
      ...options,
    });
    const modules = Object.keys(metafile?.inputs ?? {}).join('\n');
    expect(modules).toMatch(/engine-portable/);
    expect(modules).not.toMatch(/engine-node/);
    return file.replace('.ts', '.portable.mjs');
  }

  it('reads what Node’s wrote, and Node’s what it wrote', (context) =>
    checked(context, async () => {
      // Files are Node's, whichever engine encrypts.
      const script = await portable('job.ts', {
        platform: 'neutral',
        external: [...builtinModules, 'node:*'],
      });
      const own = await doJob(thisNode, await plain(), [script], [await first()]);
      await doJob(thisNode, await plain(), ['job.mjs'], [own]);
    }));

  it('does the job of a browser, where there is no process, no Buffer and nothing to import', (context) =>
    checked(context, async () => {
      const script = await portable('browser.ts', { platform: 'browser', banner: { js: withoutNode } });
      const said = await run([process.execPath, script], await plain());
      expect(JSON.parse(said)).toEqual({
        length: 100_000,
        part: [255, 0, 1],
        text: 'hello',
        tampered: 'integrity-failure',
        disabled: 'key-revoked',
      });
    }));
});

describe('what all of them left', () => {
  it('is read by the first', (context) =>
    checked(context, async () => {
      await first();
      tell(`the job was done in ${String(folders.length)} folders`);
      await doJob(thisNode, await plain(), ['job.mjs'], [...folders]);
    }));
});
