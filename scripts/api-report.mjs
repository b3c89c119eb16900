/*
 * The public surface, as text to review: docs/api/<subpath>.md, one for each subpath of package.json's `exports`, from
 * the declarations that are shipped.
 *
 *   npm run build && node scripts/api-report.mjs            writes them
 *   node scripts/api-report.mjs --check                     compares; exit status 1 and a list if they differ
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = new URL('../', import.meta.url);
const folder = new URL('docs/api/', project);
const command = 'npm run build && node scripts/api-report.mjs';

const { exports } = JSON.parse(readFileSync(new URL('package.json', project), 'utf8'));
const entries = Object.entries(exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([subpath, target]) => ({
    name: subpath.replace(/^\./, 'keybound'),
    file: `${subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')}.md`,
    types: fileURLToPath(new URL(target.require.types, project)),
  }));

for (const { types } of entries) {
  if (!existsSync(types)) throw new Error(`expected ${types} to be there: run npm run build first`);
}

const program = ts.createProgram({
  rootNames: entries.map(({ types }) => types),
  options: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, types: ['node'], noEmit: true },
});
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** The symbol itself, where `symbol` is an import or a re-export of it. */
const original = (symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** Whether it is declared in what this project ships. */
const isOwn = (node) => node.getSourceFile().fileName.startsWith(fileURLToPath(new URL('dist/', project)));

/** The bundler tells namesakes of different files apart by `$1`; they have one name for whoever reads. */
const trueName = (text) => text.replace(/\$\d+$/, '');

/** What a reader of declarations has no use for. */
const isHidden = (node) =>
  (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) ||
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal') ||
  (ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));

const isWrapping = ({ kind }) =>
  kind === ts.SyntaxKind.ExportKeyword ||
  kind === ts.SyntaxKind.DeclareKeyword ||
  kind === ts.SyntaxKind.DefaultKeyword;

/** The declaration without hidden members, `export` and `declare`; every name as it is in the source. */
function tidied(declaration) {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const { transformed } = ts.transform(statement, [
    (context) => (root) => {
      const visit = (node) => {
        if (ts.isClassElement(node) && isHidden(node)) return undefined;
        if (node !== root && isWrapping(node)) return undefined;
        if (ts.isIdentifier(node)) {
          const symbol = checker.getSymbolAtLocation(node);
          const name = symbol === undefined || node.parent.name === node ? node.text : original(symbol).name;
          return ts.factory.createIdentifier(trueName(name === 'default' ? node.text : name));
        }
        return ts.visitEachChild(node, visit, context);
      };
      return ts.visitEachChild(root, visit, context);
    },
  ]);
  return printer.printNode(ts.EmitHint.Unspecified, transformed[0], statement.getSourceFile());
}

/** What it refers to of this project's, by the declared symbol. */
function references(declaration) {
  const found = new Set();
  const visit = (node) => {
    if (ts.isClassElement(node) && isHidden(node)) return;
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const target = symbol && original(symbol);
      const [first] = target?.declarations ?? [];
      if (first !== undefined && isOwn(first) && isTopLevel(first)) found.add(target);
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

const isTopLevel = (declaration) =>
  ts.isSourceFile(declaration.parent) ||
  (ts.isVariableDeclaration(declaration) && ts.isSourceFile(declaration.parent.parent.parent));

const declarationsOf = (symbol) => (symbol.declarations ?? []).filter(isOwn);
const print = (symbol) => declarationsOf(symbol).map(tidied).join('\n');
const byName = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);
const block = (text) => `\`\`\`ts\n${text}\n\`\`\``;

function reportOf({ name, types }) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(types));
  const exported = checker
    .getExportsOfModule(module)
    .map((symbol) => [symbol.name, original(symbol)])
    .sort(byName);

  // Types that are not exported, but that exported ones are made of: they are as much of a promise.
  const seen = new Set(exported.map(([, symbol]) => symbol));
  const others = [];
  for (const symbol of seen) {
    for (const declaration of declarationsOf(symbol)) {
      for (const reference of references(declaration)) {
        if (seen.has(reference)) continue;
        seen.add(reference);
        others.push([trueName(reference.name), reference]);
      }
    }
  }
  const listed = exported.map(([as, symbol]) => {
    const printed = print(symbol);
    if (printed === '') throw new Error(`${name} exports ${as}, which has no declaration here`);
    return as === trueName(symbol.name) ? printed : `${printed}\n/* exported as ${as} */`;
  });
  return `# ${name}

What \`${name}\` exports, without comments. Made by \`${command}\`; a test compares it with the
build, so that every change of the public surface is seen where it is reviewed.

${block(listed.join('\n\n'))}
${
  others.length === 0
    ? ''
    : `\nNot exported, but part of the above:\n\n${block(
        others
          .sort(byName)
          .map(([, symbol]) => print(symbol))
          .join('\n\n'),
      )}\n`
}`;
}

const reports = new Map(entries.map((entry) => [entry.file, reportOf(entry)]));
const present = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.md')) : [];
const superfluous = present.filter((file) => !reports.has(file));

if (process.argv.includes('--check')) {
  const different = [...reports]
    .filter(([file, text]) => !present.includes(file) || readFileSync(new URL(file, folder), 'utf8') !== text)
    .map(([file]) => file);
  for (const file of [...different, ...superfluous]) console.log(`docs/api/${file} differs: ${command}`);
  if (different.length + superfluous.length > 0) process.exitCode = 1;
  else console.log(`${String(reports.size)} reports are as the build is`);
} else {
  mkdirSync(folder, { recursive: true });
  for (const file of superfluous) rmSync(new URL(file, folder));
  for (const [file, text] of reports) writeFileSync(new URL(file, folder), text);
}
