import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Of the system's dlopen on Linux: bind names when they are used, and never take the library out again. */
const lazyAndForGood = 0x1 | 0x1000;

/**
 * Lets another thread take the embedded engine's library into this process: half a gigabyte with a million addresses to
 * fill in, which holds a thread for a fifth of a second. A start loads the program meanwhile; when it comes to the
 * engine, the library is there. Nothing depends on it: where it cannot be done, the engine loads its library itself.
 * @returns when the thread has ended; it never rejects
 */
export async function loadEngineLibrary(): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    const engine = createRequire(createRequire(import.meta.url).resolve('chdb/package.json'));
    const folder = dirname(engine.resolve(`@chdb/lib-linux-${process.arch}-gnu/package.json`));
    // Node has no other way to the system's dlopen. It complains that the library is no module of its own, when it is loaded.
    const thread = new Worker(
      `try { process.dlopen({ exports: {} }, ${JSON.stringify(join(folder, 'libchdb.so'))}, ${lazyAndForGood}); } catch {}`,
      { eval: true, execArgv: [] },
    );
    thread.unref();
    await new Promise<void>((resolve) => {
      thread.once('error', () => resolve());
      thread.once('exit', () => resolve());
    });
  } catch {
    // The engine's own start says what is missing.
  }
}
