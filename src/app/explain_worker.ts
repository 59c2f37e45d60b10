import { parentPort, workerData } from 'node:worker_threads';
import { keepCompiled } from './compiled.ts';

keepCompiled();

/** A thread of `fairlead explain`; its data is what stood behind that on the command line. */
const { explainer, lineCharsMax } = await import('./explain.ts');
const { answerPieces } = await import('../platform/ndjson_threads.ts');
if (parentPort !== null) answerPieces(parentPort, await explainer(workerData as string[]), lineCharsMax);
