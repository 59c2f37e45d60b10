import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

// A thread has to be told for itself where it finds what was compiled once, and before anything else is loaded.
enableCompileCache(fileURLToPath(new URL('../../.cache/compiled', import.meta.url)));

/** A thread of `fairlead explain`; its data is what stood behind that on the command line. */
const { explainer, lineCharsMax } = await import('./explain.ts');
const { answerPieces } = await import('../platform/ndjson_threads.ts');
if (parentPort !== null) answerPieces(parentPort, await explainer(workerData as string[]), lineCharsMax);
