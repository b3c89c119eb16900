/*
 * Measuring two ways to do the same work side by side.
 */

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

/** The number below which a part (0 to 1) of them lies. */
export const quantile = (numbers, part) => sorted(numbers)[Math.round((numbers.length - 1) * part)];

export const median = (numbers) => quantile(numbers, 0.5);

/** Milliseconds by the clock, and those that all threads of this process worked. */
async function timed(work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1000 };
}

/**
 * Runs `ours` and `bare` in turn, so that a busy machine is busy for both, after one round that does not count. Ratios
 * are taken round by round, as speed: at 1 ours is as fast as bare, at 0.5 half as fast. `spread` is where the middle
 * eight tenths of the ratios by the clock lie; `cpuRatio` compares processor time, which neighbours disturb less. Times
 * are in milliseconds.
 */
export async function compare({ ours, bare, rounds }) {
  const times = { ours: [], bare: [] };
  for (let round = -1; round < rounds; round++) {
    // Whoever comes second may find a warmer cache, or the other's garbage.
    const order = round % 2 === 0 ? ['ours', 'bare'] : ['bare', 'ours'];
    for (const which of order) {
      const time = await timed(which === 'ours' ? ours : bare);
      if (round >= 0) times[which].push(time);
      // Timers and collections that are due are nobody's.
      await new Promise(setImmediate);
    }
  }
  const ratios = (by) => times.ours.map((time, round) => times.bare[round][by] / time[by]);
  const wall = ratios('wall');
  return {
    ours: median(times.ours.map((time) => time.wall)),
    bare: median(times.bare.map((time) => time.wall)),
    ratio: median(wall),
    spread: [quantile(wall, 0.1), quantile(wall, 0.9)],
    cpuRatio: median(ratios('cpu')),
  };
}
