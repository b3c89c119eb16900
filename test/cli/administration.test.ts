import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Desk, desk, passphrase } from './support.js';

interface WrittenConfig {
  registry: string;
  roots: { publicKey: string; status: string }[];
  signing?: { publicKey: string; key: string }[];
  regions: Record<string, unknown>;
  [member: string]: unknown;
}

const configOf = (at: Desk): WrittenConfig =>
  JSON.parse(readFileSync(at.path('keybound.json'), 'utf8')) as WrittenConfig;

function edit(at: Desk, change: (config: WrittenConfig) => unknown): void {
  const config = configOf(at);
  const changed = change(config) ?? config;
  writeFileSync(at.path('keybound.json'), typeof changed === 'string' ? changed : JSON.stringify(changed));
}

/** The folder of a namespace's bindings. */
const bindings = (at: Desk, id: string): string =>
  at.path('keybound-store/keybound', configOf(at).registry, 'namespaces', id, 'bindings');

describe('init', () => {
  it('makes a registry once, and leaves everything that is there already', async () => {
    const at = new Desk();
    const made = await at.done(['init', '--work-factor', '10', '--region', 'eu', '--json']);
    expect(made.json).toMatchObject([{ region: 'eu', keysMade: ['service', 'recovery'] }]);
    expect(await at.refused(['init', '--work-factor', '10'])).toEqual(['invalid-argument', 2]);
    rmSync(at.path('keybound.json'));
    expect(await at.refused(['init', '--work-factor', '10'])).toEqual(['invalid-argument', 2]);
    rmSync(at.path('keybound-recovery.json'));
    const again = await at.done(['init', '--work-factor', '10', '--json']);
    expect(again.json).toMatchObject([{ keysMade: [] }]);
  });

  it('keeps secrets out of every file but the keyring', async () => {
    const at = await desk();
    for (const file of ['keybound.json', 'keybound-recovery.json']) {
      expect(readFileSync(at.path(file), 'utf8')).not.toMatch(new RegExp(`${passphrase}|AGE-|PRIVATE`));
    }
    expect(readFileSync(at.path('keyring.age'), 'latin1')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  });

  it('checks everything before it makes anything', async () => {
    const at = new Desk();
    for (const args of [
      ['--store', 's3:bucket'],
      ['--store', 'file:'],
      ['--key', 'allOf('],
      ['--region', 'EU'],
      ['--work-factor', '9'],
      ['--work-factor', 'x'],
      ['--key-location', ''],
    ]) {
      const [code] = await at.refused(['init', ...args]);
      expect(code, args.join(' ')).toMatch(/misconfigured|invalid-argument/);
    }
    expect(readdirSync(at.folder)).toEqual([]);
  });

  it('asks for a new passphrase twice, and goes on only if they agree', async () => {
    const at = new Desk();
    const questions: string[] = [];
    const answering = (...answers: string[]) => ({
      env: {},
      askSecret: (question: string) => {
        questions.push(question.replace(at.folder, '…'));
        return Promise.resolve(answers.shift() ?? '');
      },
    });
    expect(await at.refused(['init', '--work-factor', '10'], answering('one', 'two'))).toEqual([
      'keyring-locked',
      5,
    ]);
    await at.done(['init', '--work-factor', '10'], answering('one', 'one'));
    await at.done(['key', 'list'], answering('one'));
    expect(questions.map((question) => question.split(' ')[0])).toEqual([
      'New',
      'The',
      'New',
      'The',
      'Passphrase',
    ]);
    expect(await at.refused(['key', 'list'], answering('two'))).toEqual(['keyring-invalid', 6]);
    expect(await at.refused(['key', 'list'], { env: {} })).toEqual(['keyring-locked', 5]);
  });
});

describe('a namespace', () => {
  it('is created, shown, listed, suspended, resumed and rotated', async () => {
    const at = await desk();
    await at.done(['key', 'create', 'vendor']);
    const key = 'anyOf(local://vendor, allOf(serviceKey(local://service), local://acme))';
    const [made] = (
      await at.done(['namespace', 'create', 'globex', '--key', key, '--data-class', 'personal', '--json'])
    ).json;
    expect(made).toMatchObject({ id: 'globex', status: 'active', dataClass: 'personal' });
    expect((await at.done(['namespace', 'show', 'globex'])).stdout).toContain(key);
    expect((await at.done(['namespace', 'suspend', 'globex', '--json'])).json).toMatchObject([
      { status: 'suspended', epoch: 2 },
    ]);
    expect(await at.refused(['put', 'globex', 'x'])).toEqual(['namespace-suspended', 8]);
    expect(await at.refused(['namespace', 'rotate', 'globex'])).toEqual(['namespace-suspended', 8]);
    await at.done(['namespace', 'resume', 'globex']);
    expect((await at.done(['namespace', 'rotate', 'globex', '--json'])).json).toMatchObject([
      {
        epoch: 4,
        generations: [
          { number: 1, status: 'decrypt-only' },
          { number: 2, status: 'active' },
        ],
      },
    ]);
    const listed = (await at.done(['namespace', 'list'])).stdout;
    expect(listed).toMatch(/^acme {4}main {2}active {2}local:\/\/acme .*Acme\nglobex /);
  });

  it('is found by the key it depends on', async () => {
    const at = await desk();
    await at.done([
      'namespace',
      'create',
      'globex',
      '--key',
      'allOf(local://acme, serviceKey(local://service))',
    ]);
    const idsWith = async (key: string): Promise<unknown[]> =>
      (await at.done(['namespace', 'list', '--key', key, '--json'])).json.map(({ id }) => id);
    expect(await idsWith('local://acme')).toEqual(['acme', 'globex']);
    expect(await idsWith('local://service')).toEqual(['globex']);
    expect(await idsWith('local://recovery')).toEqual([]);
    expect(await at.refused(['namespace', 'list', '--key', 'acme'])).toEqual(['invalid-argument', 2]);
  });

  it('is refused where its owner would not hold the switch, unless that is said', async () => {
    const at = await desk();
    const args = ['namespace', 'create', 'globex', '--key', 'serviceKey(local://service)'];
    expect(await at.refused(args)).toEqual(['owner-cannot-revoke', 2]);
    await at.done([...args, '--owner-cannot-revoke']);
    expect((await at.done(['namespace', 'show', 'globex'])).stdout).toMatch(/does NOT hold it/);
    expect(await at.refused(['namespace', 'create', 'globex', '--key', 'local://acme'])).toEqual([
      'namespace-exists',
      4,
    ]);
    expect(await at.refused(['namespace', 'create', 'other', '--key', 'local://nobody'])).toEqual([
      'key-not-found',
      3,
    ]);
    expect(await at.refused(['namespace', 'create', 'other', '--key', 'aws-kms://x'])).toEqual([
      'misconfigured',
      7,
    ]);
  });

  it('lies in one of several regions', async () => {
    const at = await desk();
    edit(at, (config) => {
      config.regions['us'] = { store: 'file:store-us', keyLocations: ['local'] };
    });
    expect(await at.refused(['namespace', 'create', 'globex', '--key', 'local://acme'])).toEqual([
      'invalid-argument',
      2,
    ]);
    await at.done(['namespace', 'create', 'globex', '--key', 'local://acme', '--region', 'us']);
    await at.done(['put', 'globex', 'a'], { stdin: 'found' });
    expect((await at.done(['get', 'globex', 'a'])).stdout).toBe('found');
    expect((await at.done(['namespace', 'list'])).stdout.split('\n')).toHaveLength(3);
    expect((await at.done(['namespace', 'list', '--region', 'us', '--json'])).json).toMatchObject([
      { id: 'globex' },
    ]);
    await at.done(['namespace', 'create', 'acme', '--key', 'local://acme', '--region', 'us']);
    expect(await at.refused(['ls', 'acme'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['ls', 'nobody'])).toEqual(['namespace-not-found', 3]);
  });

  it('whose binding is rolled back, cut, forked or edited is refused by the next run, each in its own words', async () => {
    const at = await desk();
    await at.done(['put', 'acme', 'kept'], { stdin: 'kept' });
    await at.done(['namespace', 'rotate', 'acme']);
    const [{ trust } = {}] = (await at.done(['namespace', 'rotate', 'acme', '--json'])).json;
    const folder = bindings(at, 'acme');
    const epochs = ['1@', '2@', '3@'].map(
      (name) => [join(folder, name), readFileSync(join(folder, name))] as const,
    );
    const spoil = async (change: () => void, ...args: string[]): Promise<[string, number]> => {
      change();
      try {
        return await at.refused(['get', 'acme', 'kept', ...args]);
      } finally {
        for (const [path, bytes] of epochs) writeFileSync(path, bytes);
      }
    };
    const [one = ['', Buffer.alloc(0)], two = one, three = two] = epochs;
    expect(
      await spoil(() => {
        rmSync(three[0]);
      }),
    ).toEqual(['binding-rollback', 6]);
    expect(
      await spoil(() => {
        writeFileSync(three[0], two[1]);
      }),
    ).toEqual(['binding-rollback', 6]);
    expect(
      await spoil(() => {
        writeFileSync(three[0], three[1].subarray(0, 300));
      }),
    ).toEqual(['binding-invalid', 6]);
    expect(
      await spoil(() => {
        writeFileSync(three[0], three[1].toString('latin1').replace(/.(?="}]})/, 'x'), 'latin1');
      }),
    ).toEqual(['binding-invalid', 6]);
    // Without its marks, this machine has seen nothing: what was printed tells.
    rmSync(at.path('keybound-marks'), { recursive: true });
    expect(
      await spoil(() => {
        rmSync(two[0]);
      }),
    ).toEqual(['binding-gap', 6]);
    rmSync(at.path('keybound-marks'), { recursive: true, force: true });
    expect(
      await spoil(
        () => {
          rmSync(three[0]);
        },
        '--trust',
        String(trust),
      ),
    ).toEqual(['binding-rollback', 6]);
    expect(await at.refused(['get', 'acme', 'kept', '--trust', 'x'])).toEqual(['invalid-argument', 2]);
    expect((await at.done(['get', 'acme', 'kept'])).stdout).toBe('kept');
  });
});

describe('keys', () => {
  it('are the switch', async () => {
    const at = await desk();
    await at.done(['put', 'acme', 'a'], { stdin: 'hello' });
    expect((await at.done(['key', 'disable', 'acme', '--json'])).json).toMatchObject([
      { name: 'acme', state: 'disabled' },
    ]);
    expect(await at.refused(['get', 'acme', 'a'])).toEqual(['key-revoked', 5]);
    await at.done(['key', 'enable', 'acme']);
    expect((await at.done(['get', 'acme', 'a'])).stdout).toBe('hello');
    expect(await at.refused(['key', 'destroy', 'acme'])).toEqual(['invalid-argument', 2]);
    await at.done(['key', 'destroy', 'acme', '--yes']);
    expect(await at.refused(['get', 'acme', 'a'])).toEqual(['key-destroyed', 5]);
    expect(await at.refused(['key', 'enable', 'acme'])).toEqual(['key-destroyed', 5]);
    expect((await at.done(['key', 'list'])).stdout).toMatch(
      /^service {3}enabled .*\nrecovery {2}enabled .*\nacme {6}destroyed /,
    );
    expect(await at.refused(['key', 'disable', 'nobody'])).toEqual(['key-not-found', 3]);
    expect(await at.refused(['key', 'create', 'acme'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['key', 'create', 'A B'])).toEqual(['invalid-argument', 2]);
  });

  it('in an edited or missing keyring are refused', async () => {
    const at = await desk();
    const file = readFileSync(at.path('keyring.age'));
    for (const change of [
      file.subarray(0, 100),
      Buffer.concat([file, Buffer.from('x')]),
      Buffer.from('plain text'),
      Buffer.alloc(0),
    ]) {
      writeFileSync(at.path('keyring.age'), change);
      expect(await at.refused(['namespace', 'rotate', 'acme'])).toEqual(['keyring-invalid', 6]);
    }
    rmSync(at.path('keyring.age'));
    expect(await at.refused(['namespace', 'rotate', 'acme'])).toEqual(['misconfigured', 7]);
    writeFileSync(at.path('keyring.age'), file);
    await at.done(['namespace', 'rotate', 'acme']);
  });
});

describe('roots', () => {
  it('are added, take over, and retire', async () => {
    const at = await desk();
    await at.done(['namespace', 'create', 'globex', '--key', 'local://acme']);
    await at.done(['key', 'disable', 'acme']);
    await at.done(['key', 'create', 'second']);
    await at.done(['root', 'add', '--key', 'local://second']);
    const before = (await at.done(['root', 'list', '--json'])).json;
    expect(before.map(({ status, signsWith }) => [status, signsWith])).toEqual([
      ['active', 'local://service'],
      ['active', null],
      ['active', 'local://second'],
    ]);
    const [first, , third] = before.map(({ kid }) => String(kid));
    const retired = await at.done(['root', 'retire', (first ?? '').slice(0, 8), '--json']);
    expect(retired.json).toMatchObject([{ kid: first, status: 'retired', namespaces: 2, signed: 2 }]);
    expect(configOf(at).roots.map(({ status }) => status)).toEqual(['retired', 'active', 'active']);
    expect(configOf(at).signing?.map(({ key }) => key)).toEqual(['local://second']);
    expect((await at.done(['namespace', 'show', 'acme', '--json'])).json).toMatchObject([
      { root: third, epoch: 2 },
    ]);
    await at.done(['key', 'enable', 'acme']);
    await at.done(['namespace', 'rotate', 'acme']);
    // Again: nothing is left to be done.
    expect((await at.done(['root', 'retire', first ?? '', '--json'])).json).toMatchObject([{ signed: 0 }]);
  });

  it('retire one at a time, so that nobody is locked out', async () => {
    const at = await desk();
    await at.done(['root', 'add', '--key', 'local://service']);
    const [first, , third] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    for (let i = 0; i < 8; i++) {
      await at.done(['namespace', 'create', `tenant-${String(i)}`, '--key', 'local://acme']);
    }
    const both = await Promise.all(
      [first, third].map((kid) => at.run(['root', 'retire', kid ?? '', '--json'])),
    );
    expect(both.filter(({ status }) => status === 0).length).toBeLessThanOrEqual(1);
    const listed = (await at.done(['namespace', 'list', '--json'])).json;
    expect(listed).toHaveLength(9);
    // Whoever was told to repeat it may.
    for (const kid of [first, third]) await at.run(['root', 'retire', kid ?? '']);
    expect((await at.done(['namespace', 'list', '--json'])).json).toHaveLength(9);
  });

  it('are not said to be retired while something that they signed since would be refused', async () => {
    const at = await desk();
    await at.done(['root', 'add', '--key', 'local://service']);
    const [first] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    writeFileSync(at.path('old.json'), readFileSync(at.path('keybound.json')));
    await at.done(['root', 'retire', first ?? '']);
    await at.done(['namespace', 'create', 'late', '--key', 'local://acme', '--config', 'old.json']);
    const again = await at.run(['root', 'retire', first ?? '']);
    expect(again.status).toBe(6);
    expect(again.stderr).toMatch(/mark it as active/);
    edit(at, (config) => {
      for (const root of config.roots) root.status = 'active';
    });
    await at.done(['root', 'retire', first ?? '']);
    expect((await at.done(['namespace', 'list', '--json'])).json).toHaveLength(2);
  });

  it('retire although a creation was cut short, whose folder is no namespace', async () => {
    const at = await desk();
    await at.done(['root', 'add', '--key', 'local://service']);
    const [first] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    const namespaces = join(bindings(at, 'acme'), '../..');
    cpSync(join(namespaces, 'acme/wraps'), join(namespaces, 'half/wraps'), { recursive: true });
    await at.done(['root', 'retire', first ?? '']);
    expect((await at.done(['namespace', 'list', '--json'])).json).toHaveLength(1);
    await at.done(['doctor']);
  });

  it('stay as they are while a namespace cannot be signed again', async () => {
    const at = await desk();
    await at.done(['root', 'add', '--key', 'local://service']);
    const [first] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    await at.done(['namespace', 'create', 'globex', '--key', 'local://acme']);
    const file = join(bindings(at, 'acme'), '1@');
    const kept = readFileSync(file);
    writeFileSync(file, kept.subarray(0, 200));
    expect(await at.refused(['root', 'retire', first ?? ''])).toEqual(['binding-invalid', 6]);
    expect(configOf(at).roots.map(({ status }) => status)).toEqual(['active', 'active', 'active']);
    writeFileSync(file, kept);
    expect((await at.done(['root', 'retire', first ?? '', '--json'])).json).toMatchObject([
      { signed: 1, namespaces: 2 },
    ]);
  });

  it('may be the recovery root, when the first one is lost', async () => {
    const at = await desk();
    const [first] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    await at.done(['key', 'destroy', 'service', '--yes']);
    expect(await at.refused(['namespace', 'suspend', 'acme'])).toEqual(['key-destroyed', 5]);
    await at.done(['namespace', 'suspend', 'acme', '--signing', 'keybound-recovery.json']);
    await at.done(['root', 'retire', first ?? '', '--signing', 'keybound-recovery.json']);
    expect(await at.refused(['namespace', 'resume', 'acme'])).toEqual(['no-signing-key', 7]);
    await at.done(['namespace', 'resume', 'acme', '--signing', 'keybound-recovery.json']);
    expect(await at.refused(['namespace', 'suspend', 'acme', '--signing', 'none.json'])).toEqual([
      'misconfigured',
      7,
    ]);
    expect(await at.refused(['namespace', 'suspend', 'acme', '--signing', 'keybound.json'])).toEqual([
      'misconfigured',
      7,
    ]);
  });

  it('are named by a key id, or enough of one', async () => {
    const at = await desk();
    for (const kid of ['', 'x', '0'.repeat(32)]) {
      expect(await at.refused(['root', 'retire', '--', kid])).toEqual(['invalid-argument', 2]);
    }
    const [first] = (await at.done(['root', 'list', '--json'])).json.map(({ kid }) => String(kid));
    // The only root that can sign here.
    expect(await at.refused(['root', 'retire', first ?? ''])).toEqual(['no-signing-key', 7]);
  });
});

describe('a configuration', () => {
  it.each<[string, (config: WrittenConfig) => unknown]>([
    ['that is not JSON', () => 'registry: x'],
    ['that is empty', () => ''],
    ['that is a list', () => []],
    ['with an unknown member', (config) => ({ ...config, passphrase: 'x' })],
    [
      'with an unknown member named __proto__',
      (config) => JSON.stringify(config).replace('{', '{"__proto__":{"registry":"x"},'),
    ],
    [
      'with another kind of store',
      (config) => ({ ...config, regions: { main: { store: 's3:x', keyLocations: ['local'] } } }),
    ],
    [
      'with a store URL that is none',
      (config) => ({ ...config, regions: { main: { store: 'file://%zz', keyLocations: ['local'] } } }),
    ],
    ['without regions', (config) => ({ ...config, regions: [] })],
    ['with a region by a wrong name', (config) => ({ ...config, regions: { EU: config.regions['main'] } })],
    ['without roots', (config) => ({ ...config, roots: [] })],
    ['with a root that is none', (config) => ({ ...config, roots: [{ publicKey: 'x', status: 'active' }] })],
    ['without a keyring', (config) => ({ ...config, keys: {} })],
    ['with a short registry id', (config) => ({ ...config, registry: 'ab' })],
    ['whose text is too long', (config) => `${JSON.stringify(config)}${' '.repeat(5_000_000)}`],
  ])('%s is refused in one line', async (_, change) => {
    const at = await desk();
    edit(at, change);
    const ran = await at.run(['namespace', 'rotate', 'acme']);
    expect(ran.stderr).toMatch(/^keybound: .{1,250} \[misconfigured\]\n$/);
    expect(ran.status).toBe(7);
  });

  it('is changed where a link points to, keeps its mode, and is changed by one at a time', async () => {
    const at = await desk();
    renameSync(at.path('keybound.json'), at.path('elsewhere.json'));
    chmodSync(at.path('elsewhere.json'), 0o600);
    symlinkSync('elsewhere.json', at.path('keybound.json'));
    const ran = await Promise.all(
      Array.from({ length: 6 }, () => at.run(['root', 'add', '--key', 'local://service', '--json'])),
    );
    const added = ran.filter(({ status }) => status === 0).length;
    expect(added).toBeGreaterThan(0);
    expect(ran.every(({ status }) => [0, 7].includes(status))).toBe(true);
    expect(configOf(at).roots).toHaveLength(2 + added);
    expect(lstatSync(at.path('keybound.json')).isSymbolicLink()).toBe(true);
    expect(statSync(at.path('elsewhere.json')).mode & 0o777).toBe(0o600);
    writeFileSync(at.path('elsewhere.json.new'), '');
    expect(await at.refused(['root', 'add', '--key', 'local://service'])).toEqual(['misconfigured', 7]);
    rmSync(at.path('elsewhere.json.new'));
    await at.done(['root', 'add', '--key', 'local://service']);
  });

  it('of another registry, with roots of another one, or with none, opens nothing', async () => {
    const at = await desk();
    const other = configOf(await desk());
    const mine = configOf(at);
    edit(at, (config) => ({ ...config, roots: other.roots, signing: [] }));
    expect(await at.refused(['ls', 'acme'])).toEqual(['root-not-trusted', 6]);
    edit(at, () => ({ ...mine, registry: other.registry }));
    expect(await at.refused(['ls', 'acme'])).toEqual(['namespace-not-found', 3]);
    rmSync(at.path('keybound.json'));
    expect(await at.refused(['ls', 'acme'])).toEqual(['misconfigured', 7]);
    writeFileSync(at.path('other.json'), JSON.stringify(mine));
    await at.done(['ls', 'acme', '--config', 'other.json']);
    await at.done(['ls', 'acme'], {
      env: { KEYBOUND_PASSPHRASE: passphrase, KEYBOUND_CONFIG: 'other.json' },
    });
  });
});

describe('the doctor', () => {
  it('finds a healthy installation healthy', async () => {
    const at = await desk();
    const ran = await at.done(['doctor', '--json']);
    expect(ran.json.map(({ state }) => state)).toEqual(ran.json.map(() => 'ok'));
    expect(ran.json.map(({ about }) => about)).toEqual(
      expect.arrayContaining(['versions', 'config', 'region main', 'namespace acme', 'key local://acme']),
    );
  });

  it.each<[string, (at: Desk) => unknown, string | RegExp, RegExp]>([
    ['a disabled key', (at) => at.done(['key', 'disable', 'acme']), 'namespace acme', /disabled/],
    [
      'a suspended namespace',
      (at) => at.done(['namespace', 'suspend', 'acme']),
      'namespace acme',
      /suspended/,
    ],
    [
      'a damaged binding',
      (at) => {
        writeFileSync(join(bindings(at, 'acme'), '1@'), 'x'.repeat(40));
      },
      'namespace acme in region main',
      /malformed/,
    ],
    [
      'a store that is a file',
      (at) => {
        rmSync(at.path('keybound-store'), { recursive: true });
        writeFileSync(at.path('keybound-store'), '');
      },
      'region main',
      /./,
    ],
    [
      'an edited configuration',
      (at) => {
        edit(at, () => '{');
      },
      'config',
      /JSON/,
    ],
    [
      'a missing keyring',
      (at) => {
        rmSync(at.path('keyring.age'));
      },
      'key local://service',
      /keyring/,
    ],
    [
      'marks that are not kept',
      (at) => {
        edit(at, (config) => {
          delete config['marks'];
        });
      },
      'config',
      /marks/,
    ],
    [
      'a store that is gone',
      (at) => {
        rmSync(at.path('keybound-store'), { recursive: true });
      },
      /^root /,
      /missing/,
    ],
    [
      'a lonely root',
      (at) => {
        edit(at, (config) => ({ ...config, roots: config.roots.slice(0, 1) }));
      },
      'roots',
      /only one/,
    ],
  ])('finds %s, and says how to mend it', async (_, spoil, about, what) => {
    const at = await desk();
    await spoil(at);
    const { json, status } = await at.run(['doctor', '--json']);
    const findings = json.filter((finding) => finding['state'] !== 'ok');
    const mine = findings.filter(
      (finding) =>
        (typeof about === 'string'
          ? finding['about'] === about
          : String(finding['about']).startsWith('root ')) && what.test(String(finding['what'])),
    );
    expect(mine.length, JSON.stringify(findings)).toBeGreaterThan(0);
    expect(status).toBe(findings.some(({ state }) => state === 'wrong') ? 1 : 0);
    for (const { state, mend } of findings) if (state === 'wrong') expect(mend).toMatch(/.../);
  });

  it('looks at one namespace if asked to', async () => {
    const at = await desk();
    await at.done(['namespace', 'create', 'globex', '--key', 'local://acme']);
    const about = (await at.done(['doctor', 'globex', '--json'])).json.map((finding) => finding['about']);
    expect(about).toContain('namespace globex');
    expect(about).not.toContain('namespace acme');
    expect((await at.run(['doctor', 'nobody'])).status).toBe(1);
  });
});

describe('inspect', () => {
  it('needs neither key nor passphrase', async () => {
    const at = await desk();
    await at.done(['put', 'acme', 'a'], { stdin: 'hello' });
    rmSync(at.path('keyring.age'));
    const locked = { env: {} };
    expect((await at.done(['inspect', 'acme', 'a', '--json'], locked)).json).toMatchObject([
      { kind: 'object', generation: 1, size: 5 },
    ]);
    expect((await at.done(['inspect', 'acme'], locked)).stdout).toMatch(/binding, not verified/);
    expect((await at.done(['inspect', '--file', join(bindings(at, 'acme'), '1@')], locked)).stdout).toMatch(
      /trust/,
    );
    const wraps = at.path('keybound-store/keybound', configOf(at).registry, 'namespaces/acme/wraps/1');
    const [wrap = ''] = readdirSync(wraps);
    expect((await at.done(['inspect', '--file', join(wraps, wrap)], locked)).stdout).toMatch(
      /local:\/\/acme \(104 bytes\)/,
    );
  });

  it('does not let what it reads steer the terminal', async () => {
    const uri = 'local://a\u001b[2J\nsigned by: everybody';
    const wraps = {
      format: 'keybound/v1/wrap',
      alternatives: [{ wraps: [{ uri, blob: 'AA' }], sealed: 'A'.repeat(139) }],
    };
    const ran = await (await desk()).run(['inspect', '--file', '-'], { stdin: JSON.stringify(wraps) });
    expect(ran.status).toBe(6);
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001b|everybody/);
  });

  it('reads ciphertext from anywhere, and refuses what is none', async () => {
    const at = await desk();
    const record = Buffer.from(`4b42440100000007${'00'.repeat(72)}`, 'hex');
    expect((await at.done(['inspect', '--file', '-', '--json'], { stdin: record })).json).toMatchObject([
      { kind: 'record', generation: 7, size: 0 },
    ]);
    expect(await at.refused(['inspect', '--file', '-'], { stdin: 'plain text' })).toEqual([
      'not-ciphertext',
      6,
    ]);
    expect(await at.refused(['inspect', '--file', '-'])).toEqual(['not-ciphertext', 6]);
    expect(await at.refused(['inspect', '--file', '.'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['inspect', '--file', 'none'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['inspect'])).toEqual(['invalid-argument', 2]);
    expect(await at.refused(['inspect', 'acme', 'none'])).toEqual(['object-not-found', 3]);
    expect(await at.refused(['inspect', 'acme', '--epoch', '9'])).toEqual(['object-not-found', 3]);
  });
});

describe('the command line', () => {
  it.each([
    [[]],
    [['nonsense']],
    [['put']],
    [['put', 'acme']],
    [['get', 'acme', 'x', 'y', 'z']],
    [['ls', 'acme', '--nonsense']],
    [['key']],
    [['namespace', 'create', 'x']],
    [['get', '--range']],
  ])('%j is refused with status 2 and a word about what is wrong', async (args) => {
    const ran = await new Desk().run(args);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/error|Usage/);
    expect(ran.stderr).not.toMatch(/\n {4}at /);
    if (args.length > 1) expect(await new Desk().refused(args)).toEqual(['invalid-argument', 2]);
  });

  it('says what it can do', async () => {
    const at = new Desk();
    for (const args of [['--help'], ['put', '--help'], ['namespace', 'create', '--help'], ['--version']]) {
      const ran = await at.done(args);
      expect(ran.stdout.length).toBeGreaterThan(5);
      expect(ran.stderr).toBe('');
    }
    expect(existsSync(at.path('keybound.json'))).toBe(false);
  });
});
