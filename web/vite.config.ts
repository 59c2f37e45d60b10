import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { devDouble } from './dev/double.ts';

/** Where the real server listens while the dashboard is developed; the double answers unless this is set. */
const server = process.env.FAIRLEAD_DEV_SERVER;

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react(), ...(server === undefined ? [devDouble()] : [])],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The page policy is `script-src 'self'` and `font-src 'self'`: no data: address may stand in for a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    cssMinify: 'lightningcss',
    reportCompressedSize: false,
  },
  server: {
    fs: { allow: ['..'] },
    ...(server === undefined ? {} : { proxy: { '/api': server, '/js': server } }),
  },
});
