import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { packFolder } from '../src/platform/http/packed.ts';

// Run at set-up. The pages are packed here, once, because a start would spend a second of a processor on it.
const web = fileURLToPath(new URL('../web', import.meta.url));
await build({ root: web, configFile: `${web}/vite.config.ts`, logLevel: 'warn' });
packFolder(`${web}/dist`);
