import { repeat } from '../../platform/clock.ts';
import { mailHolder } from '../../platform/mail/index.ts';
import type { PersonalDataHolder } from '../../platform/personal_data.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { formExecutor, requestExecutor } from './ageing.ts';
import { forgetAnswers } from './answers.ts';
import { forgetExpired, openArchives } from './archives.ts';
import { openCallbacks } from './callbacks.ts';
import { type ErasureHouse, openErasures } from './erasure.ts';
import { openMeasures } from './measures.ts';
import { openDsrRoutes } from './opendsr.ts';
import { objectionCheck, requestCheck } from './overdue_check.ts';
import { requestHolder } from './own_holder.ts';
import { type PublicLimits, publicRoutes } from './public_routes.ts';
import { remind, type Teller } from './reminders.ts';
import { requestRoutes } from './routes.ts';

export { writeArchive } from './archive.ts';
export { eraseAgain, erasedPeople } from './erasure_again.ts';
export { everyRestricted, restrictionsOf } from './restricted.ts';
export {
  type LiftedRestriction,
  liftAgain,
  liftedRestrictions,
  type RestrictedPerson,
  restrictAgain,
  restrictedPeople,
} from './restricted_again.ts';

export const requestMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether somebody has to be reminded, and whether an erasure waits that another process began. */
const lookMs = 10 * 60_000;

export interface Requests extends RunningSubject {
  remind(): Promise<void>;
  /** Goes on with what is begun, and waits until it is done. */
  erase(): Promise<void>;
  /** Objections that are sure, and restrictions that end. */
  measure(): Promise<void>;
  /** Systems that handed requests in and are to be told. */
  callBack(): Promise<void>;
}

/**
 * Requests of data subjects: a register of each organisation with the clock of rule R2, and the erasures.
 * @param more.holders what every part of the desk stores about people
 * @param more.sealed how sealed files of the desk are opened, to be searched after an erasure
 * @param more.onErased after each erasure: copies elsewhere are told
 */
export function openRequests(
  house: ErasureHouse & Pick<House, 'config' | 'random' | 'outbound'>,
  notices: Teller,
  more: {
    holders?: () => readonly PersonalDataHolder[];
    sealed?: () => readonly SealedFolder[];
    onErased?: () => Promise<void>;
    onRestricted?: () => Promise<void>;
    limits?: PublicLimits;
  } = {},
): Requests {
  const { clock, config, log, postgres } = house;
  const own = [requestHolder(house), mailHolder(house)];
  const holders = () => [...own, ...(more.holders?.() ?? [])];
  const erasures = openErasures(house, holders, more.onErased ?? (async () => {}), more.sealed);
  const archives = openArchives(house, holders);
  const callbacks = openCallbacks(house);
  const measures = openMeasures(house, holders, more.onRestricted ?? (async () => {}));
  const works = config.role === 'all' || config.role === 'work';
  let callOff = () => {};
  let isStopped = false;
  let running: Promise<unknown> | undefined;
  let erasing: Promise<void> | undefined;
  let isWoken = false;

  async function tellAndForget(): Promise<void> {
    await everywhere(postgres, async (sql, organisationId) => {
      await forgetExpired(sql, organisationId, clock.now());
      return [];
    });
    await remind({ house, notices });
  }
  /** A request came: who answers hears of it at once. */
  function tell(): void {
    running = remind({ house, notices }).catch((error) => log.error('requests.reminding_failed', {}, error));
    wake();
  }

  /** One at a time in this process; who is woken meanwhile looks once more. */
  function wake(): void {
    if (!works || isStopped) return;
    if (erasing !== undefined) {
      isWoken = true;
      return;
    }
    isWoken = false;
    erasing = Promise.all([erasures.work(), measures.work(), forgetAnswers(postgres), callbacks.work()])
      .then(() => {})
      .catch((error) => log.error('requests.erasing_failed', {}, error))
      .finally(() => {
        erasing = undefined;
        if (isWoken) wake();
      });
  }

  return {
    routes: [
      ...requestRoutes(house, { erasures, archives, measures }, wake),
      ...openDsrRoutes(house, tell),
      ...(more.limits === undefined ? [] : publicRoutes(house, archives, more.limits, tell)),
    ],
    executors: [requestExecutor(postgres), formExecutor(postgres)],
    holders: own,
    checks: [requestCheck(house), objectionCheck(house)],
    remind: () => remind({ house, notices }),
    async erase() {
      await erasures.work();
      await forgetAnswers(postgres);
    },
    measure: () => measures.work(),
    callBack: () => callbacks.work(),
    async begin() {
      if (!works) return;
      // After a restore of an older backup they are erased before anybody is answered.
      if (await erasures.areRestored()) await erasures.work();
      wake();
      callOff = repeat(
        clock,
        lookMs,
        () => {
          wake();
          const told = tellAndForget();
          running = told;
          return told;
        },
        { firstMs: 60_000, onError: (error) => log.error('requests.reminding_failed', {}, error) },
      );
    },
    async stop() {
      isStopped = true;
      callOff();
      await running?.catch(() => {});
      await erasing;
    },
  };
}
