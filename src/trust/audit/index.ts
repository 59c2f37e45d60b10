import type { Audit } from '../../platform/audit.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { auditExecutor } from './ageing.ts';
import { auditChecks } from './checks.ts';
import { bundleOf } from './export.ts';
import { auditHolder } from './holder.ts';
import { openKeeper } from './keeper.ts';
import { auditRoutes } from './routes.ts';
import { readHead, seeChain } from './stored.ts';
import { openWriter, type Parts } from './write.ts';

export { type BundleVerification, verifyBundle } from './bundle.ts';
export { isSignature, keyName, type Signer, signerOf } from './checkpoint.ts';
export { auditFiles } from './checkpoint_file.ts';
export { type Span, spanOf } from './days.ts';
export { csvCell } from './export.ts';
export { openKeeper, type Verification } from './keeper.ts';
export { networkOf } from './network.ts';
export { actsOfPerson } from './person.ts';

export const auditMigrations = new URL('./migrations/', import.meta.url);

/** The trail of acts: who did what, when, to what, as a chain per organisation that nobody can alter unseen. */
export function openAudit(parts: Parts): Audit {
  return openWriter(parts);
}

/** What keeps the trail: checkpoints, windows, verification, and what is asked of it. */
export function openTrail(
  house: Pick<House, 'postgres' | 'keys' | 'vault' | 'audit' | 'clock' | 'log' | 'config'>,
): RunningSubject & { bundle(organisation: number): AsyncGenerator<string> } {
  const { config } = house;
  const keeper = openKeeper({ ...house, dataDir: config.dataDir });
  const keeps = config.role === 'all' || config.role === 'work';
  return {
    /** The whole log of an organisation with what verifies it, one JSON object a line. */
    async *bundle(organisation) {
      // So that an end that is cut off shows.
      if (keeps) await keeper.checkpoint();
      const head = await seeChain(house.postgres, organisation, (sql) => readHead(sql, organisation));
      yield* bundleOf({ ...house, keeper }, organisation, head);
    },
    routes: auditRoutes(house, { keeper, keeps }),
    checks: auditChecks(keeper, { clock: house.clock, keeps }),
    executors: [auditExecutor(keeper)],
    holders: [auditHolder(house)],
    commands: {
      'audit-verify': async () => {
        // What came since the last full hour is signed first, so that a cut end shows from now on.
        if (keeps) await keeper.checkpoint();
        return { ...(await keeper.verify()), publicKey: keeper.publicKey };
      },
    },
    async begin() {
      if (keeps) keeper.begin();
    },
    async stop() {
      if (keeps) await keeper.stop();
    },
  };
}
