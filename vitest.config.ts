import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take ten seconds and more, in the order of their start: a long one that starts last keeps one core
 * waiting for it. Those that drive a browser take turns with those that mostly wait. A fresh clone knows no durations,
 * by which Vitest would sort.
 */
const longFiles = [
  'test/browser/dashboard_axe.test.ts',
  'test/journeys/demo.test.ts',
  'test/proof/spool_kill.test.ts',
  'test/browser/tracker-session.test.ts',
  'test/journeys/cli.test.ts',
  'test/journeys/exports.test.ts',
  'test/browser/dashboard_lists.test.ts',
  'test/journeys/https.test.ts',
  'src/analytics/query/same_number.test.ts',
  'test/browser/tracker.test.ts',
  'src/platform/postgres/postgres.test.ts',
  'test/journeys/first_run.test.ts',
  'test/proof/warehouse_kill.test.ts',
  'test/browser/dashboard.test.ts',
  'test/routes.test.ts',
  'test/browser/moving_in.test.ts',
  'test/proof/scan/scan.test.ts',
  'src/platform/spool/spool.test.ts',
  'src/analytics/ingest/place.test.ts',
  'test/journeys/roles.test.ts',
  'test/journeys/imports.test.ts',
  'src/analytics/query/hostile.test.ts',
  'test/journeys/doctor.test.ts',
  'src/accounts/accounts.test.ts',
  'src/analytics/history/warehouse.test.ts',
];

/**
 * What opens no store, no browser and no process, and leaves nothing behind: to start a process for each of these
 * files took three times what their tests take.
 */
const filesOfOneProcess = [
  '{contract,sdk,web/src}/**/*.test.{ts,tsx}',
  'src/analytics/sites.test.ts',
  'src/analytics/exports/zip_writer.test.ts',
  'src/analytics/imports/{access_log,csv,umami}.test.ts',
  'src/analytics/ingest/{agent,bare,bots,channel,glob,lines,memo,page,payload,revenue,row,source,spam}.test.ts',
  'src/analytics/query/kept_sums.test.ts',
  'src/analytics/visits/*.test.ts',
  'src/platform/{certificate_files,clock,config,control}.test.ts',
  'src/platform/http/{address,match,static}.test.ts',
  'src/trust/keys/keys.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId, project }: TestSpecification) => {
      const place = longFiles.indexOf(relative(import.meta.dirname, moduleId));
      // A process goes on with the next file only where that is one of the same kind.
      if (!project.config.isolate) return longFiles.length + 1;
      return place < 0 ? longFiles.length : place;
    };
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

const common = {
  exclude: ['**/node_modules/**', '**/dist/**'],
  // Node itself loads the sources, as it does for the product: to pass some three hundred through Vite in each process
  // was a quarter of the work of a file with a desk.
  experimental: { viteModuleRunner: false as const },
  pool: 'forks' as const,
  testTimeout: 30_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    experimental: common.experimental,
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...common,
          // Tests run against real stores: a file gets its own process, so that one engine or one database belongs to
          // one file.
          name: 'own process',
          include: ['{contract,src,sdk,web,test,bench,emulators}/**/*.test.ts', '{web}/**/*.test.tsx'],
          exclude: [...common.exclude, ...filesOfOneProcess],
          globalSetup: ['test/prepared_cluster.ts'],
        },
      },
      { test: { ...common, name: 'one process', include: filesOfOneProcess, isolate: false } },
    ],
  },
});
