import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { relayUploadLimits } from '../../../contract/relay.ts';
import type { Due, Executor } from '../../platform/executor.ts';
import type { Route } from '../../platform/http/route.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { House } from '../../platform/subject.ts';
import { sealingOf } from '../intake/running.ts';
import { dueBesideHolds } from '../life/ageing.ts';
import { openUploadFiles, sealedRelayUploads, uploadFolder } from './files.ts';
import { uploadRoutes } from './routes.ts';
import { openUploadRunner } from './runner.ts';
import { heldUploads, openUploadStore, siteOfUpload } from './store.ts';

export { endUploads } from './store.ts';

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
    async due(ask) {
      if (ask.organisationId === null) return filesDue(config.dataDir, await heldEverywhere(postgres), ask.nowMs);
      return dueBesideHolds(postgres, ask, {
        ...{ table: 'relay_uploads', at: 'u.created_at', site: siteOfUpload, before: ask.nowMs - graceMs },
        from: "relay_uploads u WHERE u.expires_at < $1 AND u.state NOT IN ('running', 'cancelling')",
      });
    },
  };
}

async function heldEverywhere(postgres: House['postgres']): Promise<ReadonlySet<string>> {
  return new Set(await everywhere(postgres, async (sql, organisation) => [...(await heldUploads(sql, organisation))]));
}

/** Files past their days; those that a hold keeps stand apart. */
async function filesDue(dataDir: string, held: ReadonlySet<string>, nowMs: number): Promise<Due[]> {
  const folder = join(dataDir, uploadFolder);
  const names = await readdir(folder).catch(() => []);
  const ages = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => ({ isHeld: held.has(name), mtimeMs }),
        () => ({ isHeld: false, mtimeMs: nowMs }),
      ),
    ),
  );
  const over = ages.filter(({ mtimeMs }) => mtimeMs < nowMs - relayUploadLimits.days * dayMs - graceMs);
  return [...Map.groupBy(over, ({ isHeld }) => isHeld)].map(([isHeld, some]) => ({
    ...{ table: uploadFolder, rows: some.length, oldestMs: Math.min(...some.map(({ mtimeMs }) => mtimeMs)), isHeld },
  }));
}
