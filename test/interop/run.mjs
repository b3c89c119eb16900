/*
 * Can an owner get data out without us? `npm run test:interop`, on the build.
 *
 * Installs, into node_modules/.cache/keybound-interop: a Python environment with `cryptography` (50 or newer) and
 * `pyrage` from PyPI; and, where Go is installed, filippo.io/age from the Go module proxy. Checks:
 *
 *   golden files     test/golden/generate.py makes the same bytes again, each body opened by cryptography's Cobblestone
 *   library → Python what this build wrote just now with fresh keys is opened by python.py, from the keyring file down
 *   Python → library a registry, bindings, objects and records made by python.py are opened, and carried on, by the library
 *   age              the keyring is opened by the Rust and by the Go implementation of age
 *
 * What cannot be checked here (no Python, no network) is said, and is no failure unless KEYBOUND_REQUIRE_ALL=1. Ends with
 * counts. When a check fails, its folder is kept and named. KEYBOUND_PYTHON names another python3.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cache = here('../../node_modules/.cache/keybound-interop');
const library = [process.execPath, here('library.mjs')];
const work = mkdtempSync(join(tmpdir(), 'keybound-interop-'));
const say = (line) => process.stdout.write(`${line}\n`);

// No __pycache__ beside the sources.
process.env['PYTHONDONTWRITEBYTECODE'] = '1';

const notChecked = [];
const failed = [];
const counts = {};
let passed = 0;

function run([program, ...args], options = {}) {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
}

const said = (error) => String(error.stderr || error.message).trim();

/** What cannot be had here; anything else that fails is a failure. */
class Unavailable extends Error {}

function available(what, attempt) {
  try {
    return attempt();
  } catch (error) {
    const lines = said(error).split('\n');
    throw new Unavailable(`${what}: ${lines.at(-1) ?? ''}`, { cause: error });
  }
}

function check(name, body) {
  try {
    body();
    passed++;
    say(`ok       ${name}`);
  } catch (error) {
    if (error instanceof Unavailable) {
      notChecked.push(name);
      say(`NOT CHECKED ${name}: ${error.message}`);
    } else {
      failed.push(name);
      say(`FAILED   ${name}\n${said(error)}`);
    }
  }
}

/** The Python of an environment with what the checks need. */
function pythonWithPackages() {
  const environment = join(cache, 'python');
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const ready = [python, '-c', 'import pyrage; from cryptography.cobblestone import Cobblestone256Decryptor'];
  try {
    run(ready);
  } catch {
    const base = process.env['KEYBOUND_PYTHON'] ?? 'python3';
    rmSync(environment, { recursive: true, force: true });
    available(`${base} cannot make an environment`, () => run([base, '-m', 'venv', environment]));
    say(`installing cryptography and pyrage from PyPI into ${environment}`);
    const packages = ['cryptography>=50', 'pyrage>=1.2'];
    available('pip cannot install', () => run([python, '-m', 'pip', 'install', '--quiet', ...packages]));
    available('what pip installed does not work', () => run(ready));
  }
  return python;
}

/** Runs one side of a check, and counts what it did. */
function side(name, command, ...args) {
  const done = JSON.parse(run([...command, ...args]));
  const told = Object.entries(done).filter(([, count]) => count > 0);
  for (const [what, count] of told) counts[what] = (counts[what] ?? 0) + count;
  say(`         ${name} ${args[0]}: ${told.map(([what, count]) => `${String(count)} ${what}`).join(', ')}`);
}

let found;
/** Made once; every check that needs it says so if it cannot be had. */
function python() {
  if (found === undefined) {
    try {
      found = pythonWithPackages();
    } catch (error) {
      found = error;
    }
  }
  if (found instanceof Error) throw found;
  return found;
}

/** One side makes data, each checks and adds to what the other left. */
function exchange(folder, [makerName, maker], [otherName, other]) {
  const claims = (n) => join(work, `${makerName}-${String(n)}.json`);
  side(makerName, maker, 'make', folder, claims(0));
  side(otherName, other, 'check', folder, claims(0));
  side(otherName, other, 'add', folder, claims(0), claims(1));
  side(makerName, maker, 'check', folder, claims(1));
  side(makerName, maker, 'add', folder, claims(1), claims(2));
  side(otherName, other, 'check', folder, claims(2));
}

const program = () => [python(), here('python.py')];
const byLibrary = join(work, 'library');
const byPython = join(work, 'python');

check('golden files: made again by Python, the same bytes', () => {
  const told = run([python(), here('../golden/generate.py'), '--check']).trim();
  if (!/opened by cryptography\.cobblestone$/.test(told)) throw new Error(told);
  say(`         ${told}`);
});

check('library → Python: from the keyring down to the data', () => {
  exchange(byLibrary, ['library', library], ['Python', program()]);
});

check('Python → library: a registry that the library did not make', () => {
  exchange(byPython, ['Python', program()], ['library', library]);
});

/** Opens a keyring of four keys with filippo.io/age. */
function openWithGo(folder, claims) {
  const version = available('go', () => run(['go', 'version'])).trim();
  const source = join(cache, 'age-go');
  const opener = join(cache, process.platform === 'win32' ? 'open-keyring.exe' : 'open-keyring');
  mkdirSync(source, { recursive: true });
  for (const file of ['go.mod', 'go.sum', 'main.go']) copyFileSync(here(`age/${file}`), join(source, file));
  available('go cannot build filippo.io/age', () => run(['go', 'build', '-o', opener, '.'], { cwd: source }));
  const { passphrase } = JSON.parse(readFileSync(claims, 'utf8'));
  const env = { ...process.env, KEYRING_PASSPHRASE: passphrase };
  const { format, keys } = JSON.parse(run([opener, join(folder, 'keyring.age')], { env }));
  if (format !== 'keybound/v1/keyring' || keys.length !== 4) {
    throw new Error(`expected a keyring of four keys, got ${String(keys?.length)} in ${String(format)}`);
  }
  counts.keyrings = (counts.keyrings ?? 0) + 1;
  say(`         ${version}, filippo.io/age: ${String(keys.length)} keys`);
}

check('age in Go: opens the library’s keyring', () => {
  const folder = join(work, 'for Go');
  const claims = join(work, 'for-Go.json');
  side('library', library, 'make', folder, claims);
  openWithGo(folder, claims);
});

check('age in Go: opens the keyring that age in Rust made', () => {
  if (!existsSync(join(byPython, 'keyring.age'))) throw new Unavailable('there is none, without Python');
  openWithGo(byPython, join(work, 'Python-0.json'));
});

if (failed.length === 0) rmSync(work, { recursive: true, force: true });
else say(`\nkept for you to look at: ${work}`);
const { refusals = 0, ...opened } = counts;
const list = Object.entries(opened).map(([what, count]) => `${String(count)} ${what}`);
say(`\nopened: ${list.join(', ') || 'nothing'}; refused, as they must be: ${String(refusals)}`);
for (const name of notChecked) say(`NOT CHECKED: ${name}`);
say(`${String(passed)} passed, ${String(failed.length)} failed, ${String(notChecked.length)} not checked`);
if (failed.length > 0 || (notChecked.length > 0 && process.env['KEYBOUND_REQUIRE_ALL'] === '1')) {
  process.exitCode = 1;
}
