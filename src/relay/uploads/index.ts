import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { relayUploadLimits } from '../../../contract/relay.ts';
import type { Due, Executor } from '../../platform/executor.ts';
import type { Route } from '../../platform/http/route.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { House } from '../../platform/subject.ts';
import { sealingOf } from '../intake/running.ts';
import { openUploadFiles, sealedRelayUploads, uploadFolder } from './files.ts';
import { uploadRoutes } from './routes.ts';
import { openUploadRunner } from './runner.ts';
import { openUploadStore } from './store.ts';

/** Uploads at work: what the relay mounts of them. */
export interface RunningUploads {
  readonly routes: Route[];
  readonly sealed: SealedFolder;
  stop(): Promise<void>;
}

/** Files of offline conversions. A file lies where it was sent to, so it is read there too. */
export function startUploads(house: House, onWaiting: (destinationIds: ReadonlySet<number>) => void): RunningUploads {
  const store = openUploadStore(house);
  const files = openUploadFiles(house);
  const runner = openUploadRunner({
    ...house,
    sealing: sealingOf(house),
    store,
    files,
    onWaiting,
    isAlone: house.config.role === 'all',
  });
  return {
    routes: uploadRoutes(house, { store, files, runner }),
    sealed: sealedRelayUploads(files, store),
    stop: runner.stop,
  };
}

const dayMs = 86_400_000;
/** Until the next look has been, what is over may still be there. */
const graceMs = 3_600_000;

/** What of them goes by age, for the nightly run: the runner takes it away, within a minute. */
export function uploadExecutor({ postgres, config }: Pick<House, 'postgres' | 'config'>): Executor {
  return {
    ...{ line: 'relay-uploads', of: 'both', works: 'by itself' },
    async due({ organisationId, nowMs }) {
      if (organisationId === null) return filesDue(config.dataDir, nowMs);
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          `SELECT count(*)::int AS rows, min(created_at) AS oldest FROM relay_uploads
           WHERE expires_at < $1 AND state NOT IN ('running', 'cancelling')`,
          [new Date(nowMs - graceMs)],
        ),
      );
      return rows === 0 ? [] : [{ table: 'relay_uploads', rows, oldestMs: oldest?.getTime() ?? null }];
    },
  };
}

async function filesDue(dataDir: string, nowMs: number): Promise<Due[]> {
  const folder = join(dataDir, uploadFolder);
  const names = await readdir(folder).catch(() => []);
  const ages = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => nowMs,
      ),
    ),
  );
  const over = ages.filter((age) => age < nowMs - relayUploadLimits.days * dayMs - graceMs);
  return over.length === 0 ? [] : [{ table: uploadFolder, rows: over.length, oldestMs: Math.min(...over) }];
}
