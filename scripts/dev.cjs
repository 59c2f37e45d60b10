'use strict';
// `npm run dev`: the server, started again whenever a source of it is saved, and the dashboard by Vite, which swaps
// changed parts in the open page. Vite passes /api and /js on to the server, so both look like one address.

const childProcess = require('child_process');
const path = require('path');
const { fail, root } = require('./programs.cjs');
const { setUp } = require('./setup.cjs');

const vitePort = 5173;

async function main() {
  const node = await setUp({ parts: ['places', 'tracker'], say: say });
  const port = process.env.PORT || '7070';
  const cli = path.join(root, 'src', 'app', 'cli.ts');
  const watched = ['--watch-path=src', '--watch-path=contract', '--watch-preserve-output'];
  const quiet = '--disable-warning=ExperimentalWarning';
  const children = [
    start(node, [quiet].concat(watched, cli, 'serve'), {
      PORT: port,
      // Mail goes into /dev/inbox and not to the network.
      FAIRLEAD_DEV: '1',
      FAIRLEAD_PUBLIC_URL: process.env.FAIRLEAD_PUBLIC_URL || 'http://localhost:' + vitePort,
      UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE || '16',
    }),
    start(node, ['node_modules/vite/bin/vite.js', '--strictPort', '--port', String(vitePort), 'web'], {
      FAIRLEAD_DEV_SERVER: 'http://127.0.0.1:' + port,
    }),
  ];
  const stop = () => {
    children.forEach((child) => {
      child.kill('SIGTERM');
    });
  };
  // In a terminal Ctrl-C has reached them already; the second signal is harmless.
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
    process.on(signal, stop);
  });
  // One without the other is of no use.
  children.forEach((child) => {
    child.on('exit', stop);
  });
}

function start(node, args, env) {
  return childProcess.spawn(node, args, { cwd: root, env: Object.assign({}, process.env, env), stdio: 'inherit' });
}

function say(line) {
  process.stdout.write(line + '\n');
}

main().catch(fail);
