import { defineConfig } from 'vitest/config';

// Tests run against real stores: a file gets its own process, so that one engine or one database belongs to one file.
export default defineConfig({
  test: {
    include: ['{contract,src,sdk,web,test,bench,emulators}/**/*.test.ts', '{web}/**/*.test.tsx'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
