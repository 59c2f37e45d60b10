import type { QueryAnswer, QueryRequest } from '../../../contract/query.ts';
import { type SharePanel, type SharePeriod, shareLimits } from '../../../contract/shares.ts';
import type { Clock } from '../../platform/clock.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { QueryOutcome, QuerySite } from '../query/index.ts';
import type { SharedView } from './page.ts';
import { dayIn, frameOf } from './period.ts';
import { type QuestionName, questionsOf } from './questions.ts';

/** A site as the engine and the page need it. */
export interface SharedSite extends QuerySite {
  organisation_id: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** What a shared page asks of the engine: the same that answers `/api/v2/query`. */
export type Asking = (site: SharedSite, requests: readonly QueryRequest[]) => Promise<QueryOutcome[]>;

export type SharedNumbers = Pick<SharedView, 'frame' | 'measuredFrom' | 'answers'>;

/** Kept at most; the oldest goes first. */
const keptMax = 500;

/**
 * Answers what a share asks, and keeps each answer for 30 seconds: a page that many people open at once asks the
 * warehouse as often as one that is opened by one.
 */
export function openAsking({ asking, clock }: { asking: Asking; clock: Clock }) {
  const kept = new Map<string, { until: number; numbers: Promise<SharedNumbers> }>();

  async function askNow(site: SharedSite, panels: readonly SharePanel[], period: SharePeriod): Promise<SharedNumbers> {
    const frame = frameOf(period, clock.now(), site.timezone);
    const made = dayIn(site.timezone, site.createdAt);
    const questions = questionsOf(panels, frame, site.domain);
    // What was there before the site was made here was imported: then that is when measuring began.
    const first = frame.before.from < made ? [firstDayQuestion(site.domain)] : [];
    const outcomes = await asking(site, [...questions.values(), ...first]);
    const answers = new Map<QuestionName, QueryAnswer>();
    for (const [index, name] of [...questions.keys()].entries()) {
      const outcome = outcomes[index] as QueryOutcome;
      if ('problem' in outcome) throw new RequestError(outcome.problem.code, outcome.problem.message);
      answers.set(name, outcome);
    }
    return { frame, answers, measuredFrom: firstDayOf(outcomes[questions.size], made) };
  }

  return {
    /** @throws RequestError warehouse_unavailable or query_over_ceiling */
    numbers(site: SharedSite, panels: readonly SharePanel[], period: SharePeriod): Promise<SharedNumbers> {
      const key = JSON.stringify([site.id, site.domain, site.timezone, period, panels]);
      const found = kept.get(key);
      if (found !== undefined && clock.monotonic() < found.until) return found.numbers;
      const numbers = askNow(site, panels, period);
      kept.delete(key);
      kept.set(key, { until: clock.monotonic() + shareLimits.freshSeconds * 1000, numbers });
      if (kept.size > keptMax) kept.delete(kept.keys().next().value as string);
      // What failed is asked again by the next reader.
      numbers.catch(() => {
        if (kept.get(key)?.numbers === numbers) kept.delete(key);
      });
      return numbers;
    },
  };
}

function firstDayQuestion(site: string): QueryRequest {
  return { site_id: site, metrics: ['visitors'], date_range: 'all', include: { imports: true } };
}

/** `all` begins with the first day that anything is known of; the answer says which that was. */
function firstDayOf(outcome: QueryOutcome | undefined, made: string): string {
  if (outcome === undefined || 'problem' in outcome) return made;
  const [from] = (outcome.query.date_range ?? []) as string[];
  return from === undefined || from.slice(0, 10) > made ? made : from.slice(0, 10);
}
