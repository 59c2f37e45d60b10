import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/platform/random.ts';

/**
 * Lines of an access log a second, as `fairlead import access-log` takes them: from the start of reading to the moment
 * when the last row can be queried, on a desk of its own. `node bench/access_log.ts [lines] [pages per hundred]`.
 *
 * The log has what a real one has: visits of a few pages, four files for each page, robots, errors; and in a second
 * file nothing but page views, the worst there can be.
 */
const lines = Number(process.argv[2] ?? 300_000);
const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-log-'));
const env = { ...process.env, FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0' };

function fairlead(args: string[], input = ''): { out: string; seconds: number } {
  const started = performance.now();
  const ended = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/app/cli.ts', ...args], {
    cwd: root,
    env,
    input,
    encoding: 'utf8',
  });
  if (ended.status !== 0) throw new Error(ended.stderr);
  return { out: ended.stdout, seconds: (performance.now() - started) / 1000 };
}

async function writeLog(file: string, pageShare: number): Promise<void> {
  const random = seededRandom('access log');
  const pick = (below: number) => Number(random.uint64() % BigInt(below));
  const out = createWriteStream(file);
  const start = Date.UTC(2026, 0, 1);
  for (let at = 0; at < lines; at++) {
    const time = new Date(start + at * 300).toUTCString();
    const stamp = `${time.slice(5, 7)}/${time.slice(8, 11)}/${time.slice(12, 16)}:${time.slice(17, 25)} +0000`;
    const isPage = pick(100) < pageShare;
    const path = isPage ? `/page/${pick(2_000)}?utm_source=news${pick(5)}` : `/assets/${pick(50)}.js`;
    const status = isPage && pick(50) === 0 ? 404 : 200;
    const visitor = pick(20_000);
    const agent =
      pick(30) === 0
        ? 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
        : `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (visitor % 40)}.0.0.0 Safari/537.36`;
    const line = `81.${visitor >> 8}.${visitor & 255}.7 - - [${stamp}] "GET ${path} HTTP/1.1" ${status} ${pick(90_000)} "${pick(3) === 0 ? 'https://www.google.com/' : '-'}" "${agent}"\n`;
    if (!out.write(line)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
  }
  await new Promise<void>((resolve) => out.end(() => resolve()));
}

try {
  const setup = ['setup', '--email', 'owner@bench.example', '--organisation', 'Bench', '--site', 'bench.example'];
  fairlead(setup, 'a harbour of quiet rope');
  const { seconds: idle } = fairlead(['imports', '--site', 'bench.example']);
  for (const share of [20, 100]) {
    const file = join(folder, `access-${share}.log`);
    await writeLog(file, share);
    for (const args of [['--dry-run'], []]) {
      const { out, seconds } = fairlead(['import', 'access-log', file, '--site', 'bench.example', ...args]);
      const { stored } = JSON.parse(out) as { stored: number };
      const own = seconds - idle;
      process.stdout.write(
        `${JSON.stringify({ pages_per_hundred: share, dry_run: args.length > 0, lines, stored, seconds: Number(own.toFixed(1)), lines_per_second: Math.round(lines / own) })}\n`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
