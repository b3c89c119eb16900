/*
 * What the consumers of this package are made of: folders outside the repository, into which npm installs.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const tell = (line: string): void => {
  process.stdout.write(`   ${line}\n`);
};

/** Runs a program to its end and gives what it printed. Fails with all that it said if it fails, or hangs. */
export async function run(
  [program = '', ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, {
      cwd,
      timeout: 3 * 60_000,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: '', NO_COLOR: '1', ...env },
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr || message}`, { cause: error });
  }
}

/** The content of files, by their paths; objects become JSON. */
export type Files = Readonly<Record<string, string | object>>;

/** Makes a folder with these files. */
export function folderWith(folder: string, files: Files): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

/** Why something could not be installed. */
export class NotInstalled extends Error {}

/** What npm says when it cannot reach its registry. */
const unreachable =
  /npm error code (E[A-Z]*CONN[A-Z]*|E?NOTFOUND|ENOTCACHED|EAI_AGAIN|\w*TIMEDOUT|\w*TIMEOUT|E5\d\d)/;

async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  tell(`npm install ${packages.map((name) => (isAbsolute(name) ? basename(name) : name)).join(' ')}`);
  const options = ['--no-audit', '--no-fund', '--no-progress', '--prefer-offline', '--loglevel=error'];
  await run(['npm', 'install', ...options, ...packages], folder);
}

const reasonOf = (error: unknown): string =>
  /npm error (code \S+)/.exec(String(error))?.[1] ?? String(error).replaceAll('\n', ' ');

/** Installs packages into a consumer's folder. Throws {@link NotInstalled} only if the registry is out of reach. */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  try {
    await npmInstall(folder, packages);
  } catch (error) {
    if (!unreachable.test(String(error))) throw error;
    throw new NotInstalled(`npm cannot reach its registry: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Installs a program, and gives its path. Throws {@link NotInstalled} if it cannot be had: no network, no binary for
 * this platform, install scripts switched off.
 */
export async function installProgram(folder: string, specifier: string, program: string): Promise<string> {
  try {
    await npmInstall(folder, [specifier]);
  } catch (error) {
    throw new NotInstalled(`npm cannot install ${specifier}: ${reasonOf(error)}`, { cause: error });
  }
  const path = join(folder, 'node_modules', program);
  if (existsSync(path)) return path;
  throw new NotInstalled(
    `${specifier} brought no ${program}: none for this platform, or install scripts are off`,
  );
}
