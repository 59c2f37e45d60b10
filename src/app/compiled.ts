import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * What was compiled once is kept beside the project, as scripts/run.cjs has it: a command starts in half the time. Where it cannot be
 * written nothing is kept. Each thread says it for itself, before it loads anything else.
 */
export function keepCompiled(): void {
  enableCompileCache(fileURLToPath(new URL('../../.cache/compiled', import.meta.url)));
}
