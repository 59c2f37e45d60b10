import { startServer } from '../src/app/serve.ts';
import { readConfig } from '../src/platform/config.ts';

/**
 * A desk whose night is asked for: `fairlead serve` looks ten minutes after its start, which a measurement need not wait
 * for. A line on standard input runs it; its answer is a line of JSON.
 */
const running = await startServer(readConfig());
process.stdout.write(`${JSON.stringify({ port: running.http.address.port })}\n`);
process.stdin.once('data', async () => {
  const began = performance.now();
  const ran = await running.desk.windows.night.run();
  process.stdout.write(`${JSON.stringify({ ran, seconds: (performance.now() - began) / 1000 })}\n`);
});
process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)));
