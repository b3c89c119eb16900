/*
 * npm run bench -- [--quick] [--json] [--check]: how fast and how large, as ratios to bare calls. README.md says how to
 * read it.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { importSizes, importTimes } from './imports.mjs';
import { memory } from './memory.mjs';
import { files, ranges, records, streams } from './speed.mjs';
import { MiB } from './world.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

/** `floor` is what `--check` insists on: far enough from the aim for a busy machine. */
const aims = {
  streams: { aim: 0.85, floor: 0.5 },
  memory: { aim: 32 * MiB, floor: 64 * MiB },
};

const tell = (text = '') => {
  if (!options.json) console.log(text);
};
const ratio = (number) => number.toFixed(2);
const mib = (bytes) => `${(bytes / MiB).toFixed(1)} MiB`;
const kb = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
const tellRow = (what, ...columns) => {
  tell(what.padEnd(34) + columns.map((column) => column.padStart(12)).join(''));
};

const node = process.version;
const processors = `${String(availableParallelism())} × ${cpus()[0]?.model ?? 'unknown'}`;
tell(`Node ${node}, ${process.arch}, ${processors}\n`);

tellRow('', 'keybound', 'bare', 'ratio', 'spread', 'cpu ratio');
const speed = [];
for (const measured of [streams, files, records, ranges]) {
  for await (const row of measured(options)) {
    speed.push(row);
    const { ours, bare } = row.shown;
    tellRow(row.what, ours, bare, ratio(row.ratio), row.spread.map(ratio).join('-'), ratio(row.cpuRatio));
  }
}

tell();
const times = importTimes(options);
const sizes = await importSizes();
tellRow(
  'import, added to a program’s start',
  `${times.ESM.toFixed(0)} ms ESM`,
  `${times.CJS.toFixed(0)} ms CJS`,
);
tellRow('root entry, minified', kb(sizes.all.minified), `${kb(sizes.all.gzipped)} gz`);
tellRow('  of which its own', kb(sizes.own.minified), `${kb(sizes.own.gzipped)} gz`);

const held = await memory(options);
tellRow(`peak memory, ${mib(held.sizes.small)}`, mib(held.small));
tellRow(`peak memory, ${mib(held.sizes.large)}`, mib(held.large));

const targets = [
  ...speed.slice(0, 2).map((row) => ({
    target: `${row.what}: at least ${ratio(aims.streams.aim)} of bare`,
    measured: ratio(row.ratio),
    met: row.ratio >= aims.streams.aim,
    far: row.ratio < aims.streams.floor,
  })),
  {
    target: `memory does not grow with size: at most ${mib(aims.memory.aim)}`,
    measured: mib(held.difference),
    met: held.difference <= aims.memory.aim,
    far: held.difference > aims.memory.floor,
  },
];
tell('\nTargets');
for (const { target, measured, met } of targets) {
  tell(`  ${target.padEnd(64)}${measured.padStart(10)}  ${met ? 'met' : 'missed'}`);
}

if (options.json) {
  const report = { node, quick: options.quick, speed, imports: { times, sizes }, memory: held, targets };
  console.log(JSON.stringify(report, null, 2));
}
if (options.check && targets.some(({ far }) => far)) process.exitCode = 1;
