'use strict';
// `npm start` and `npm run fairlead -- <command>`: makes everything ready, then runs the command on the pinned Node.

const os = require('os');
const path = require('path');
const { become, compiledCode, fail, root } = require('./programs.cjs');
const { setUp } = require('./setup.cjs');

const args = process.argv.slice(2);
const command = args[0] || 'help';
/** What a command needs beyond the dependencies; the others touch neither pages nor places. */
const needs = {
  serve: ['places', 'tracker', 'dashboard'],
  demo: ['places', 'tracker', 'dashboard'],
  import: ['places'],
  explain: ['places'],
};
/** These talk to a person. Of every other command standard output is the result and nothing else. */
const chatty = ['serve', 'demo'];

async function main() {
  const stream = chatty.includes(command) ? process.stdout : process.stderr;
  const node = await setUp({
    parts: needs[command] || [],
    say(line) {
      stream.write(line + '\n');
    },
  });
  const env = Object.assign({}, process.env);
  // libuv's four threads are shared by the spool's fdatasync, bcrypt and chDB: with four queries at once a write to the
  // disk was measured to wait 603 ms for a thread, with sixteen 9 ms. The number is read once, when Node starts.
  if (!env.UV_THREADPOOL_SIZE) env.UV_THREADPOOL_SIZE = '16';
  // glibc keeps what large buffers have left behind, and more of it the larger they were; from these sizes on they go back to
  // the machine at once: 22 MB of a desk with 10 M events.
  if (!env.MALLOC_MMAP_THRESHOLD_) env.MALLOC_MMAP_THRESHOLD_ = '262144';
  if (!env.MALLOC_TRIM_THRESHOLD_) env.MALLOC_TRIM_THRESHOLD_ = '262144';
  if (!env.NODE_COMPILE_CACHE) env.NODE_COMPILE_CACHE = compiledCode;
  const cli = path.join(root, 'src', 'app', 'cli.ts');
  // V8 would share out its collections over four threads. Where two processors are all there is they wait for each other,
  // and for the engine: p95 of 5,000 events a second 44 ms with four, 22 ms with one.
  // The youngest objects of a busy desk would fill 192 MB before anybody looks at them. With half of it as many conversions come in
  // a second; with a quarter a sixth less (docs/decisions/2026-11-30-relay-intake-processor.md).
  // V8 would walk over the whole heap of a desk that takes conversions in each time that it has grown by some megabytes, once a second,
  // and each time everybody waits 10 to 25 ms: it begins where most of what it may grow by is used up
  // (docs/decisions/2026-12-01-fewer-full-collections.md).
  const flags = [
    '--max-semi-space-size=32',
    '--incremental-marking-soft-trigger=70',
    '--incremental-marking-hard-trigger=85',
  ].concat(os.cpus().length <= 2 ? ['--v8-pool-size=1'] : []);
  become(node, ['--disable-warning=ExperimentalWarning'].concat(flags, cli, args), env);
}

main().catch(fail);
