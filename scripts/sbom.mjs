/*
 * The bill of materials of the package, as CycloneDX JSON on standard output: what npm installs with it and what is
 * bundled into it, each with version, hash and licence. Refuses a licence that is not known to be permissive.
 *
 *   npm run build && node scripts/sbom.mjs > keybound-0.1.0.cdx.json
 *
 * `npm sbom` alone would leave out what is bundled but not a dependency (the command line's), and name the root after
 * its folder.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundledPackages } from './bundled.mjs';

const project = new URL('../', import.meta.url);
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
]);

const sbom = (...options) =>
  JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=library', ...options], {
      cwd: fileURLToPath(project),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    }),
  );

const { name } = JSON.parse(readFileSync(new URL('package.json', project), 'utf8'));
const bill = sbom('--omit=dev');
const everything = sbom();
const refOf = (component) => component['bom-ref'];

const listed = new Set(bill.components.map(refOf));
const missing = bundledPackages()
  .map((one) => `${one.name}@${one.version}`)
  .filter((ref) => !listed.has(ref));
for (const ref of missing) {
  const component = everything.components.find((one) => refOf(one) === ref);
  if (component === undefined) throw new Error(`${ref} is bundled, but npm does not know it`);
  // Everyone who installs the package has it, whatever it is to this project.
  const properties = component.properties.filter(
    (property) => property.name !== 'cdx:npm:package:development',
  );
  bill.components.push({ ...component, scope: 'required', properties });
  bill.dependencies.push({ ref, dependsOn: [] });
  bill.dependencies.find((one) => one.ref === refOf(bill.metadata.component)).dependsOn.push(ref);
}
bill.metadata.component.name = name;

for (const component of bill.components) {
  const licences = (component.licenses ?? []).map(({ license, expression }) => license?.id ?? expression);
  if (licences.length === 0 || !licences.every((licence) => permissive.has(licence))) {
    throw new Error(
      `${refOf(component)} is under ${licences.join(', ') || 'no licence'}: expected a permissive one`,
    );
  }
}
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
