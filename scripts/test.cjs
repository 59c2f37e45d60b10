'use strict';
// `npm test`: sets up what the tests need, runs every stage on the pinned Node, ends with one line that counts them.
//   npm test            types, lint, dead code, beside all tests; `-- --deep` with every seed, zone and state, and every proof
//   npm run check       types, lint, dead code and the tidy test: what to run before a commit
//   npm run write       writes anew what is written from the code: lists of destinations, documents, named tests
//   npm run proof       the proof kit; `-- --sabotage` takes each guard away and expects the proof to fail
//   npm run bench, soak measurements; they fail only when they cannot run
//   npm run soak -- windows   two years of nightly runs, day by day
//   npm run soak -- relay, relay-dead   conversions through chaos and kills; a platform that is away for an hour

const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');
const { SetupError, become, cache, compiledCode, fail, root, runQuietly } = require('./programs.cjs');
const { setUp } = require('./setup.cjs');

/** The same places as test/browser/chromium.ts looks in. */
const chromiumPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/** The same program without windows: the dashboard's tests take a quarter less of the processor in it. */
const withoutWindows = '/usr/bin/chromium-headless-shell';
const programs = {
  write: 'scripts/write.ts',
  proof: 'test/proof/run.ts',
  bench: 'bench/run.ts',
  soak: 'bench/soak.ts',
};
/** What `npm run soak -- NAME` runs in place of the events' soak. */
const soaks = { relay: 'bench/relay_chaos.ts', 'relay-dead': 'bench/relay_dead_destination.ts' };
const deepFlag = '--deep';
const vitestReport = path.join(cache, 'vitest.json');
/** Errors outside of every test: written by vitest.config.ts. */
const outsideReport = path.join(cache, 'vitest-outside.json');
/**
 * Slow ones, so that the suite stays near a quarter of an hour; `npm run proof` runs them all. What COL-11 promises is
 * tested by test/browser/tracker-session.test.ts as well, OPS-03 by src/app/self_audit.test.ts, CRY-05 in part by
 * test/journeys/https.test.ts, PSE-06 by src/analytics/visits/salt.test.ts, a full disk by test/proof/full_disk.test.ts.
 */
const leftToProof = [
  'AUT-06',
  'AUT-08',
  'AUT-09',
  'AUT-10',
  'AUT-11',
  'COK-01',
  'COK-02',
  'COK-03',
  'COK-04',
  'COK-05',
  'COK-06',
  'COK-07',
  'COK-08',
  'COL-11',
  'CRY-05',
  'contacts-kill',
  'OPS-03',
  'delivery-clock',
  'delivery-crash-points',
  'delivery-dead-store',
  'delivery-full-disk',
  'delivery-stop',
  'delivery-two-processes',
  'delivery-view-part',
  'PSE-06',
  'vault-kill',
];
/** How many files, or proofs, with a failure run once more. With more of them it is no chance. */
const againMax = 3;

main(process.argv[2], process.argv.slice(3)).catch(fail);

async function main(mode, given) {
  const isDeep = mode === deepFlag || given.includes(deepFlag);
  if (mode === deepFlag) mode = undefined;
  const args = given.filter((word) => word !== deepFlag);
  const tell = args.includes('--json') ? (line) => process.stderr.write(line + '\n') : say;
  const parts = mode === 'check' || mode === 'write' ? [] : ['places', 'tracker', 'dashboard'];
  // Beside each other: npm and apt-get fetch and unpack for half a minute each.
  const [node] = await bothOf(setUp({ say: tell, parts: parts }), isBrowserNeeded(mode) ? findChromium() : undefined);
  const env = environment();
  if (isDeep) env.FAIRLEAD_TEST_DEEP = '1';
  if (mode === 'soak' && args[0] === 'windows') {
    // Two years of one desk, day by day: a test that takes its time.
    env.FAIRLEAD_SOAK_DAYS = env.FAIRLEAD_SOAK_DAYS || '1';
    become(node, ['node_modules/vitest/vitest.mjs', 'run', 'test/two_years.test.ts'], env);
    return;
  }
  if (programs[mode]) {
    const named = mode === 'soak' ? soaks[args[0]] : undefined;
    const program = [path.join(root, named || programs[mode])].concat(named ? args.slice(1) : args);
    become(node, ['--disable-warning=ExperimentalWarning'].concat(program), env);
    return;
  }
  const run = (title, command) => stage(title, node, command, env);
  // Beside each other: what one of them reads from the disk another computes meanwhile.
  const looks = () =>
    Promise.all([
      run('types', ['node_modules/typescript/bin/tsc', '--noEmit']),
      run('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings']),
      run('dead code', ['node_modules/knip/bin/knip.js', '--no-progress']),
    ]);
  // Of a few named files the proofs are no part.
  const isWhole = mode === undefined && args.length === 0;
  const named = mode === 'check' ? ['test/tidy.test.ts'] : args;
  const counts = isWhole ? await everything(node, env, looks) : [...(await looks()), await tests(node, named, env)];
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  // Once more at the end: of a long log often the end alone is kept.
  for (const { unsteady } of counts) for (const name of unsteady || []) say('UNSTEADY  ' + name);
  for (const { names } of counts) for (const name of names) say('FAILED  ' + name);
  process.stdout.write(passed + ' passed, ' + failed + ' failed\n');
  process.exit(failed === 0 ? 0 : 1);
}

function isBrowserNeeded(mode) {
  return mode === undefined || mode === 'proof';
}

/** Resolves when both have ended: what still installs is not left to itself because the other failed. */
async function bothOf(one, other) {
  const ends = await Promise.allSettled([one, other]);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.map((end) => end.value);
}

function say(line) {
  process.stdout.write(line + '\n');
}

function environment() {
  const env = Object.assign({}, process.env);
  if (!env.UV_THREADPOOL_SIZE) env.UV_THREADPOOL_SIZE = '16';
  if (!env.NODE_COMPILE_CACHE) env.NODE_COMPILE_CACHE = compiledCode;
  if (!process.stdout.isTTY) {
    env.NO_COLOR = '1';
    delete env.FORCE_COLOR;
  }
  return env;
}

/** A stage that passes or fails as a whole counts as one test. What it said is shown when it has ended. */
async function stage(title, node, command, env) {
  const start = Date.now();
  const child = childProcess.spawn(node, command, { cwd: root, env: env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  const answer = await endOf(child, 'close');
  const ok = answer.status === 0;
  process.stdout.write(Buffer.concat(said));
  say((ok ? 'passed' : 'FAILED') + '  ' + title + ' (' + ((Date.now() - start) / 1000).toFixed(1) + ' s)');
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, names: ok ? [] : [title] };
}

/** Of a few named files a failure is shown as it is. */
async function tests(node, files, env) {
  const first = await vitest(node, files, env);
  return onceMore(first, files.length > 0 ? 0 : againMax, (again) => vitest(node, again.concat('--maxWorkers=1'), env));
}

/**
 * A whole run starts a thousand programs on a busy machine. Where it fails in at most `most` places, they run once more,
 * alone: what passes then is no failure of this run, and is named as unsteady at its end, to be mended like one.
 * @param first how many passed, and each failure with its place, which is undefined where none can be named
 */
async function onceMore(first, most, run) {
  const again = Array.from(new Set(first.failed.map(({ place }) => place)));
  const isChance = again.length > 0 && again.length <= most && !again.includes(undefined);
  if (isChance) say('\nOnce more, alone: ' + again.join(', '));
  const second = isChance ? await run(again) : first;
  const stillFails = ({ place }) => second.failed.some((one) => one.place === place || one.place === undefined);
  const names = first.failed.filter(stillFails).map(({ name }) => name);
  const unsteady = first.failed.filter((one) => !stillFails(one)).map(({ name }) => name);
  return { passed: first.passed + unsteady.length, failed: names.length, names: names, unsteady: unsteady };
}

/** @returns how many tests passed, and each failure with its file */
async function vitest(node, args, env) {
  for (const report of [vitestReport, outsideReport]) if (fs.existsSync(report)) fs.unlinkSync(report);
  const command = ['--disable-warning=ExperimentalWarning', 'node_modules/vitest/vitest.mjs', 'run'];
  const answer = await ended(node, command.concat(args), Object.assign({ TEST_REPORTS: cache }, env));
  if (!fs.existsSync(vitestReport)) return { passed: 0, failed: [{ name: 'the tests, which left no report' }] };
  const report = JSON.parse(fs.readFileSync(vitestReport, 'utf8'));
  // A file that cannot be loaded has no tests to count, and neither has an error outside of any: each is a failure.
  const failed = report.testResults.flatMap((result) => {
    const file = path.relative(root, result.name);
    const tests = result.assertionResults
      .filter(isFailed)
      .map((test) => ({ place: file, name: file + ': ' + test.fullName }));
    return tests.length === 0 && isFailed(result) ? [{ place: file, name: file }] : tests;
  });
  const outside = fs.existsSync(outsideReport) ? JSON.parse(fs.readFileSync(outsideReport, 'utf8')) : [];
  for (const { file, said } of outside) {
    const place = file === undefined ? undefined : path.relative(root, file);
    failed.push({ place: place, name: 'outside of every test' + (place ? ' of ' + place : '') + ': ' + said });
  }
  if (failed.length === 0 && answer.status !== 0)
    failed.push({ name: 'the run of the tests as a whole, which ended with ' + (answer.signal || answer.status) });
  return { passed: report.numPassedTests, failed: failed };
}

/**
 * Each proof counts as one test. The desk dies a few times here; `npm run proof` takes the time for all of its deaths.
 * @param looks types, lint and dead code
 */
async function everything(node, env, looks) {
  const isDeep = env.FAIRLEAD_TEST_DEEP === '1';
  const short = isDeep ? env : Object.assign({ PROOF_KILLS: '4' }, env);
  // Proofs that are tests are among the tests.
  const without = (isDeep ? [] : leftToProof).reduce((all, id) => all.concat('--without', id), ['--without-tests']);
  // Beside the tests: proofs wait for desks half of the time, and two workers leave a seventh of two cores. They are done
  // long before the tests, so there is time for the looks in front of them. What they say comes behind what the tests say.
  const said = [];
  const looksAndProofs = async () => [await looks(), await someProofs(node, short, 'proof.json', without, said)];
  const [tested, [looked, first]] = await Promise.all([tests(node, [], env), looksAndProofs()]);
  process.stdout.write(Buffer.concat(said));
  return [
    ...looked,
    tested,
    await onceMore(first, againMax, (again) => someProofs(node, short, 'proof-2.json', again)),
  ];
}

/**
 * @param said gets what the proofs say, instead of the terminal
 * @returns how many promises hold, and each that does not with its id
 */
async function someProofs(node, env, report, args, said) {
  const file = path.join(cache, report);
  if (fs.existsSync(file)) fs.unlinkSync(file);
  const command = ['--disable-warning=ExperimentalWarning', programs.proof, '--report', file].concat(args);
  const answer = await ended(node, command, env, said);
  if (!fs.existsSync(file)) return { passed: 0, failed: [{ name: 'the proofs, which left no ' + report }] };
  const { held, proofs } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const failed = proofs
    .filter((proof) => !proof.ok)
    .map((proof) => ({ place: proof.id, name: proof.id + ' ' + proof.result + ': ' + proof.seen }));
  if (failed.length === 0 && answer.status !== 0) failed.push({ name: 'the proofs as a whole' });
  return { passed: held, failed: failed };
}

/** Runs a program of the suite and resolves with how it ended. `said` gets what it says, instead of the terminal. */
async function ended(node, command, env, said) {
  const out = said === undefined ? 'inherit' : 'pipe';
  const child = childProcess.spawn(node, command, { cwd: root, env: env, stdio: ['ignore', out, out] });
  if (said === undefined) return endOf(child, 'exit');
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  return endOf(child, 'close');
}

async function endOf(child, event) {
  const answer = await new Promise((resolve) => {
    child.on('error', () => resolve({ status: 1 }));
    child.on(event, (status, signal) => resolve({ status: status, signal: signal }));
  });
  stopIfInterrupted(answer);
  return answer;
}

function isFailed(test) {
  return test.status === 'failed';
}

function stopIfInterrupted(answer) {
  if (answer.signal === 'SIGINT' || answer.signal === 'SIGTERM') process.exit(130);
}

/**
 * The browser tests drive a real Chromium. As root on Debian it is installed; otherwise the one command is named. The
 * one without windows only makes them faster: where it cannot be had, they run without it.
 */
async function findChromium() {
  const named = process.env.FAIRLEAD_CHROMIUM;
  if (named && !fs.existsSync(named))
    throw new SetupError('FAIRLEAD_CHROMIUM names ' + named + ', where no file is: correct it or unset it.');
  if (named) return;
  const isThere = chromiumPaths.some(fs.existsSync);
  const mayInstall = fs.existsSync('/usr/bin/apt-get') && process.getuid() === 0;
  if (isThere && (fs.existsSync(withoutWindows) || !mayInstall)) return;
  if (!isThere && process.platform === 'darwin')
    throw new SetupError('The browser tests need Chromium. Run: brew install --cask chromium');
  if (!isThere && !fs.existsSync('/usr/bin/apt-get'))
    throw new SetupError(
      'The browser tests need Chromium. Install it with the package manager of this system, or name one in FAIRLEAD_CHROMIUM.',
    );
  if (!mayInstall) throw new SetupError('The browser tests need Chromium. Run: sudo apt-get install -y chromium');
  if (isThere) {
    say('Chromium: apt-get installs the one without windows, in which the tests run faster …');
    await aptInstall(['chromium-headless-shell']).catch(goOnWithout);
    return;
  }
  say('Chromium: apt-get installs it for the browser tests …');
  await apt('apt-update', ['update', '-q'], 'apt-get could not read the package lists');
  // A font has to be named: without the recommended packages there is none, and text would have no size.
  await aptInstall(['chromium', 'fonts-dejavu-core']);
  await aptInstall(['chromium-headless-shell']).catch(goOnWithout);
  if (!chromiumPaths.some(fs.existsSync))
    throw new SetupError('apt-get installed no Chromium at a known place. Name one in FAIRLEAD_CHROMIUM.');
}

function goOnWithout(error) {
  if (error.message.startsWith('Interrupted')) throw error;
  say('Chromium: the one without windows cannot be had here; the tests take longer.');
}

function aptInstall(packages) {
  const args = [
    '-o',
    'Acquire::Retries=1',
    '-o',
    'Acquire::http::Timeout=20',
    'install',
    '-q',
    '-y',
    '--no-install-recommends',
  ].concat(packages);
  return apt('apt-install', args, 'apt-get could not install Chromium');
}

function apt(name, args, failure) {
  const env = Object.assign({}, process.env, { DEBIAN_FRONTEND: 'noninteractive' });
  return runQuietly({ name: name, command: 'apt-get', args: args, cwd: '/', env: env, failure: failure });
}
