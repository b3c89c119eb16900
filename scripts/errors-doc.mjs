/* Writes docs/errors.md from the table of codes: `npm run build && node scripts/errors-doc.mjs`. */
import { writeFileSync } from 'node:fs';
import { errorCodes } from 'keybound';

const rows = Object.entries(errorCodes).map(
  ([code, { meaning, retryable, advice }]) =>
    `| \`${code}\` | ${meaning} | ${retryable ? 'yes' : 'no'} | ${advice} |`,
);

writeFileSync(
  new URL('../docs/errors.md', import.meta.url),
  `# Errors

Everything that fails throws a \`KeyboundError\`. Branch on its \`code\`; the codes are stable, the texts are not.
\`message\` is one line that says whose namespace, key or object it is, what happened and what to do. \`retryable\` says
whether the same call may succeed with nothing else changed. \`details\` holds safe facts (namespace, region, key, name,
reason), \`cause\` the error underneath, where there is one. None of them ever holds a key, a passphrase or plaintext.

Integrity failures look all the same to the caller: one code, no cause. The operator's \`onEvent\` listener gets an
\`integrity-failure\` event that says which check failed.

| code | meaning | retryable | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`,
);
