/* Other people's code that is shipped inside ours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const project = new URL('../', import.meta.url);

/** The bundler puts the path of every module before its code. */
const modulePath = /^\s*\/\/ (?:\S*\/)?(node_modules\/\S+)$/gm;

/** The folder of the package that a path in node_modules belongs to: the innermost, where one lies in another. */
const packageFolder = (path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(path)[1];

/**
 * The packages whose code is in dist/, sorted by name, one for each version: `{ name, version, license, path }`, with
 * the path of their folder in node_modules.
 */
export function bundledPackages() {
  const dist = new URL('dist/', project);
  if (!existsSync(dist)) throw new Error('expected dist/ to be there: run npm run build first');
  const folders = new Set();
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!/\.[cm]?js$/.test(file)) continue;
    for (const [, path] of readFileSync(new URL(file, dist), 'utf8').matchAll(modulePath)) {
      folders.add(packageFolder(path));
    }
  }
  const found = [...folders].map((path) => {
    const { name, version, license } = JSON.parse(
      readFileSync(new URL(`${path}/package.json`, project), 'utf8'),
    );
    return { name, version, license, path };
  });
  const unique = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
