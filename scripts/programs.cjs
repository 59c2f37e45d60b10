'use strict';
// Running other programs, on whatever Node the machine has.

const childProcess = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.dirname(__dirname);
const cache = path.join(root, '.cache');
/**
 * Where Node keeps what it made of our sources: to take the types out of three hundred files and compile them again at
 * each start was most of a second. Node looks at the contents of each file before it takes the kept form.
 */
const compiledCode = path.join(cache, 'compiled');
/** Lines of a failed command's output that are shown; the rest stays in its log. */
const tailLines = 20;

/** A step that cannot go on. The message is a sentence: the fact, then the next step. */
class SetupError extends Error {}

/**
 * Runs a step to its end. Output goes to a log, so that the progress lines stay readable; of a failure the last lines
 * are shown.
 * @param {{name: string, command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv, failure: string, onStart?: (pid: number) => void}} step
 */
async function runQuietly(step) {
  fs.mkdirSync(cache, { recursive: true });
  const log = path.join(cache, step.name + '.log');
  const output = fs.openSync(log, 'w');
  const env = Object.assign({}, step.env || process.env, { NO_COLOR: '1' });
  delete env.FORCE_COLOR;
  const child = childProcess.spawn(step.command, step.args, {
    cwd: step.cwd || root,
    env: env,
    stdio: ['ignore', output, output],
  });
  fs.closeSync(output);
  if (step.onStart && child.pid) step.onStart(child.pid);
  const interrupted = passSignals(child);
  const end = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error: error }));
    child.on('exit', (code, signal) => resolve({ code: code, signal: signal }));
  });
  if (interrupted()) throw new SetupError('Interrupted. The next run goes on from here.');
  if (end.code === 0) return;
  const said = end.error ? end.error.message : readText(log).trim().split('\n').slice(-tailLines).join('\n');
  throw new SetupError(
    step.failure +
      '. The end of ' +
      path.relative(root, log) +
      ':\n\n' +
      said +
      '\n\nMend that and run the command again.',
  );
}

/**
 * Runs a program in this one's place as far as an old Node can: same streams, signals passed on, its end is ours.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function become(command, args, env) {
  // A core file would hold addresses and the salt of the day (PSE-04, PSE-07), so none is ever written: the shell takes
  // the right away and steps aside.
  const child = childProcess.spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', command].concat(args), {
    stdio: 'inherit',
    env: env,
  });
  passSignals(child);
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

/** @returns {() => boolean} whether a signal came that asks to end. */
function passSignals(child) {
  let ending = false;
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'].map((signal) => {
    const handler = () => {
      if (signal !== 'SIGUSR2') ending = true;
      // Ctrl-C reaches every process of the terminal's group by itself; twice would mean "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    process.on(signal, handler);
    return { signal: signal, handler: handler };
  });
  child.on('exit', () => {
    handlers.forEach((one) => {
      process.removeListener(one.signal, one.handler);
    });
  });
  return () => ending;
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

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

module.exports = { SetupError, become, cache, compiledCode, fail, readText, root, runQuietly };
