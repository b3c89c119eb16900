import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/index.js';
import { configSchema } from '../../src/cli/config.js';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.js';
import { toJSONSchema } from 'zod';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

describe('keybound.schema.json', () => {
  it('is what the command line checks a configuration against (vitest -u writes it)', async () => {
    const schema = toJSONSchema(configSchema, { io: 'input' });
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../keybound.schema.json');
  });
});

describe('exit statuses', () => {
  const rows = [
    ...readFileSync(join(__dirname, '../../docs/cli.md'), 'utf8').matchAll(/^\| (\d+) \| (.+) \| (.*) \|$/gm),
  ];

  it('are documented, with the codes that lead to each', () => {
    const documented = rows.map(([, status, meaning, codes]) => [Number(status), meaning, codes]);
    const expected = Object.entries(exitCodes).map(([status, meaning]) => [
      Number(status),
      meaning,
      Object.keys(errorCodes)
        .filter((code) => String(exitCodeOf[code as keyof typeof exitCodeOf]) === status)
        .map((code) => `\`${code}\``)
        .join(', '),
    ]);
    expect(documented).toEqual(expected);
  });
});
