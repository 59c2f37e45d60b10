import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestSpecification } from 'vitest/node';

/**
 * The files that take ten seconds and more, in the order of their start among files of their kind: a long one that starts
 * last keeps one core waiting for it. Those that drive a browser take turns with those that mostly wait. A fresh clone
 * knows no durations, by which Vitest would sort.
 */
const longFiles = [
  'test/routes.test.ts',
  'test/browser/dashboard_axe.test.ts',
  'test/journeys/cli.test.ts',
  'test/browser/dashboard.test.ts',
  'test/journeys/demo.test.ts',
  'test/proof/spool_kill.test.ts',
  'test/browser/tracker-session.test.ts',
  'test/journeys/exports.test.ts',
  'test/browser/keys_alone.test.ts',
  'test/journeys/imports_kill.test.ts',
  'test/journeys/https.test.ts',
  'test/journeys/first_run.test.ts',
  'test/browser/accounts.test.ts',
  'test/ending.test.ts',
  'test/two_years.test.ts',
  'src/relay/deliveries/killed.test.ts',
  'test/journeys/backup.test.ts',
  'test/subject_requests.test.ts',
  'src/analytics/query/same_number.test.ts',
  'test/browser/dashboard_lists.test.ts',
  'test/journeys/site_life.test.ts',
  'test/browser/tracker.test.ts',
  'test/journeys/exports_http.test.ts',
  'test/browser/goals.test.ts',
  'test/proof/warehouse_kill.test.ts',
  'test/browser/identities.test.ts',
  'test/journeys/imports_http.test.ts',
  'test/browser/imports.test.ts',
  'src/platform/postgres/postgres.test.ts',
  'test/proof/scan/scan.test.ts',
  'test/browser/shields.test.ts',
  'src/analytics/ingest/place.test.ts',
  'test/browser/realtime.test.ts',
  'src/analytics/history/warehouse.test.ts',
  'test/browser/many_sources.test.ts',
  'src/platform/spool/spool.test.ts',
  'test/browser/exports.test.ts',
  'src/analytics/query/hostile.test.ts',
  'test/browser/missing.test.ts',
  'test/journeys/quality.test.ts',
  'test/journeys/roles.test.ts',
  'test/journeys/shields.test.ts',
  'test/journeys/missing.test.ts',
  'test/journeys/identities.test.ts',
  'test/journeys/shares.test.ts',
  'test/journeys/organisations.test.ts',
  'src/accounts/people/people.test.ts',
  'src/accounts/accounts.test.ts',
  'src/accounts/sign_up/sign_up.test.ts',
];

/**
 * What opens no warehouse, no browser and no process of its own but a database server, and leaves nothing behind: to
 * start a process for each of these files and load the sources into it took more than a second of the processor, often
 * more than its tests.
 */
const filesOfOneProcess = [
  '{contract,sdk,web/src}/**/*.test.{ts,tsx}',
  'emulators/{acme,all,data_manager,ga4,generic,google_ads,google_oauth,linkedin,meta,meta_login,microsoft,tiktok}.test.ts',
  'src/accounts/{accounts,password_rules,picture,throttle,watch}.test.ts',
  'src/accounts/closing/closing.test.ts',
  'src/accounts/mail/quiet_hours.test.ts',
  'src/accounts/people/{people,seal_addresses}.test.ts',
  'src/accounts/sign_up/sign_up.test.ts',
  'src/analytics/sites.test.ts',
  'src/trust/register/register.test.ts',
  'src/analytics/exports/zip_writer.test.ts',
  'src/analytics/imports/{access_log,csv,events,umami}.test.ts',
  'src/analytics/ingest/{agent,bare,bots,channel,collect,explain,glob,ingest,landed_clicks,lines,memo,page,payload,revenue,row,source,spam,stored_id,watched}.test.ts',
  'src/analytics/query/{blocks,folded,kept_sums}.test.ts',
  'src/analytics/reports/{due,scheduler}.test.ts',
  'src/analytics/shares/rate.test.ts',
  'src/analytics/visits/*.test.ts',
  'src/platform/{certificate_files,clock,config,control,data_dir,random}.test.ts',
  'src/platform/files/{archive,xlsx}.test.ts',
  'src/platform/http/{access_log,address,guards,match,static}.test.ts',
  'src/platform/mail/{bounce,mail}.test.ts',
  'src/platform/outbound/*.test.ts',
  'src/relay/{conversions,destinations,identifiers,mapping,settings,sources,sources/presets,uploads}/*.test.ts',
  'src/relay/deliveries/{outward,pauses,request}.test.ts',
  'src/providers/platforms.test.ts',
  'src/trust/access/access.test.ts',
  'src/trust/audit/{actions,audit,bundle,chain}.test.ts',
  'src/trust/classes/classes.test.ts',
  'src/trust/keys/keys.test.ts',
  'src/trust/consent/{consent,records}.test.ts',
  'src/trust/documents/documents.test.ts',
  'src/trust/proof/state.test.ts',
  'src/trust/incidents/concerns.test.ts',
  'src/trust/requests/requests.test.ts',
  'src/trust/vault/{kept,rotation,vault}.test.ts',
];

/**
 * Warehouses and whole desks, one after the other in a process that has loaded the sources and the engine once. Each file
 * opens one of its own and closes it; a process of its own is for desks that are killed, and for what measures one.
 */
const filesOfDesksInTurn = [
  'src/analytics/{in_span,imports/undo,ingest/restore,packed/packed_days,query/definitions,query/packed}.test.ts',
  'src/accounts/mail/mail.test.ts',
  'src/providers/connections.test.ts',
  'src/relay/deliveries/{lanes,replays}.test.ts',
  'test/journeys/{addresses,bad_input,contact_clicks,desk,documents,goals,identities,imports,late_ids,listening}.test.ts',
  'test/journeys/{missing,moving_in,organisations,product_events,profiles,quality,realtime,request_measures,revenue,roles}.test.ts',
  'test/journeys/{relay_alerts,relay_goals,relay_intake_edges,relay_pixels,relay_reading,relay_settings,relay_uploads,shares,shields,site_limits}.test.ts',
];

/** In this order. A process goes on with the next file only where that is one of the same kind, so kinds are not mixed. */
const kinds = ['own process', 'desks in turn', 'one process'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId, project }: TestSpecification) => {
      const place = longFiles.indexOf(relative(import.meta.dirname, moduleId));
      return kinds.indexOf(project.name) * (longFiles.length + 1) + (place < 0 ? longFiles.length : place);
    };
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

/**
 * An error outside of every test fails a run of which each test passed, and Vitest's own report has no place for it. Here
 * it is named, with the file it came out of where that is known, so that `npm test` can say it at its end.
 */
class OutsideErrors implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (_modules, errors) => {
    const named = errors.map((error) => {
      const at = error.stack?.split('\n').find((line) => line.includes('/') && !line.includes('node_modules'));
      return {
        file: error.VITEST_TEST_PATH,
        said: [messagesOf(error).join(': '), at?.trim()].filter(Boolean).join(' '),
      };
    });
    writeFileSync(this.#path, JSON.stringify(named));
  };
}

/** What an error says and what the errors behind it say, on one line each. */
function messagesOf(error: unknown): string[] {
  const { message, cause } = Object(error) as { message?: unknown; cause?: unknown };
  if (typeof message !== 'string') return [];
  return [message.replaceAll(/\s+/g, ' ').slice(0, messageMax), ...messagesOf(cause)];
}
const messageMax = 300;

/** Set by scripts/test.cjs: the folder into which a run writes what became of it. Not a setting of the product, which knows its own by their prefix. */
const reportFolder = process.env.TEST_REPORTS;

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
    ...(reportFolder !== undefined && {
      reporters: [
        'default',
        ['json', { outputFile: `${reportFolder}/vitest.json` }],
        new OutsideErrors(`${reportFolder}/vitest-outside.json`),
      ],
    }),
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...common,
          // Tests run against real stores: a file gets its own process, so that one engine or one database belongs to
          // one file.
          name: 'own process',
          include: ['{contract,src,sdk,web,test,bench,emulators}/**/*.test.ts', '{web}/**/*.test.tsx'],
          exclude: [...common.exclude, ...filesOfOneProcess, ...filesOfDesksInTurn],
          globalSetup: ['test/prepared_cluster.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'one process',
          include: filesOfOneProcess,
          isolate: false,
          globalSetup: ['test/prepared_cluster.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'desks in turn',
          include: filesOfDesksInTurn,
          isolate: false,
          globalSetup: ['test/prepared_cluster.ts'],
        },
      },
    ],
  },
});
