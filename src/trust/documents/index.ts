import { repeat } from '../../platform/clock.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { openDeskFacts } from './desk_facts.ts';
import { listRoutes } from './list_routes.ts';
import { tellOfLists } from './list_telling.ts';
import { publicRoutes } from './public_routes.ts';
import { openRenewal, type Renewal } from './renewal.ts';
import { documentRoutes } from './routes.ts';
import type { Teller } from './telling.ts';

export {
  activities,
  type Facts,
  linesUnder,
  measures,
  nobody,
  type Receiving,
  storage,
  storedClasses,
  visitorStorage,
} from './facts.ts';
export { readFoot, readFootMarkup, readIdentity, readOperator } from './identity.ts';
export { dayWords, legalPage, pageHeaders } from './page.ts';
export { asMarkdown, type Block, linesOf, type Paper } from './paper.ts';
export { drawMap } from './picture.ts';
export { writePaper } from './write.ts';

export const documentMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether somebody was not told of a list of receivers. */
const lookMs = 10 * 60_000;

/** Who organisation and operator are, and the documents that are made from what is stored and who is called. */
export function openDocuments(
  house: House,
  notices: Teller,
): RunningSubject & { tellAll(): Promise<void>; renewal: Renewal } {
  const { clock, config, log } = house;
  const facts = openDeskFacts(house);
  const tellAll = () => tellOfLists(house, notices);
  let callOff = () => {};
  let running: Promise<unknown> | undefined;
  return {
    routes: [...documentRoutes(house, facts, notices), ...listRoutes(house, facts, tellAll), ...publicRoutes(house)],
    tellAll,
    renewal: openRenewal(facts),
    async begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      const look = () => {
        running = tellAll();
        return running;
      };
      callOff = repeat(clock, lookMs, look, {
        ...{ firstMs: 90_000, onError: (error) => log.error('documents.telling_failed', {}, error) },
      });
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
