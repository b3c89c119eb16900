import { initRegistry, openKeybound } from 'keybound';
import { fileStore } from 'keybound/file';
import { localKeyring } from 'keybound/local';

async function main(): Promise<void> {
  const keyring = localKeyring('keyring.age', { passphrase: process.env['KEYBOUND_PASSPHRASE'] });
  for (const name of ['service', 'recovery', 'acme']) await keyring.createKey(name);

  const keys = [keyring];
  const regions = { eu: { store: fileStore('store-eu'), keyLocations: ['local'] } };
  const root = { key: 'local://service', recoveryKey: 'local://recovery' };
  const { config, recovery } = await initRegistry({ regions, keys, ...root });
  console.log('keep with your configuration:', config, 'keep offline:', recovery);

  const keybound = openKeybound({ ...config, regions, keys });
  const acme = await keybound.create('acme', { key: 'local://acme', owner: 'Acme' });
  await acme.put('hello.txt', new TextEncoder().encode('hello'), { contentType: 'text/plain' });
  console.log(await (await acme.get('hello.txt')).text());

  await keyring.disableKey('acme'); // the owner's switch
  keybound.purge(); // or wait: leases end within 30 s
  await acme.get('hello.txt').catch(console.log);
}

main().catch(console.error);
