/*
 * THIRD-PARTY-NOTICES.txt: the licences of what is bundled into dist/, which asks for them to be shipped along.
 *
 *   npm run build && node scripts/notices.mjs               writes it
 *   node scripts/notices.mjs --check                        compares; exit status 1 if it differs
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { bundledPackages } from './bundled.mjs';

const project = new URL('../', import.meta.url);
const target = new URL('THIRD-PARTY-NOTICES.txt', project);
const line = '-'.repeat(80);

/** The licence and, where there is one, the notice that a package comes with. */
function textsOf({ name, path }) {
  const folder = new URL(`${path}/`, project);
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i.test(file))
    .sort();
  if (!files.some((file) => !/^notice/i.test(file)))
    throw new Error(`${name} has no licence file in ${path}`);
  return files.map((file) => readFileSync(new URL(file, folder), 'utf8').replaceAll('\r\n', '\n').trim());
}

// Without versions, so that it changes when a licence does; the bill of materials has them (docs/releasing.md).
const sections = new Map();
for (const one of bundledPackages()) {
  const section = `${one.name} (${one.license})\n\n${textsOf(one).join('\n\n')}\n`;
  // Two versions of one package, as a rule under the same licence.
  sections.set(section, one.name);
}
const text = `The files in dist/ contain code of these packages, under the licences that follow. keybound itself is under the
Apache License 2.0, in LICENSE.

${[...new Set(sections.values())].map((name) => `  ${name}\n`).join('')}
${[...sections.keys()].map((section) => `${line}\n${section}`).join('\n')}`;

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (existsSync(target) && readFileSync(target, 'utf8') === text) {
  console.log(`notices of ${String(sections.size)} packages are as the build is`);
} else {
  console.log('THIRD-PARTY-NOTICES.txt differs: npm run build && node scripts/notices.mjs');
  process.exitCode = 1;
}
