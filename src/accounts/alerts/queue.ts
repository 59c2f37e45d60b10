import type { Sql } from '../../platform/postgres/index.ts';
import { type Facts, wordsOf } from '../mail/notice_list.ts';

/**
 * What of a notice is posted: the facts that its row in the list names, and the organisation. A fact that may name a person or
 * is written by hand is in no such row.
 * @returns undefined where the notice is not posted at all
 */
export function postedFacts(name: string, facts: Facts): Facts | undefined {
  const posts = wordsOf(name)?.posts;
  if (posts === undefined) return undefined;
  return Object.fromEntries(
    [...posts, 'organisation'].flatMap((one) => (one in facts ? [[one, facts[one]]] : [])),
  ) as Facts;
}

/** Puts notices of an organisation beside what people are told, in the same transaction, where somebody has set an address for them. */
export async function queueAlerts(
  sql: Sql,
  organisationId: number,
  notices: readonly { readonly name: string; readonly facts: Facts; readonly link: string }[],
  now: number,
): Promise<void> {
  for (const { name, facts, link } of notices) {
    const posted = postedFacts(name, facts);
    if (posted === undefined) continue;
    await sql.run(
      `INSERT INTO alert_posts (organisation_id, notice, facts, link, created_at, next_at)
       SELECT organisation_id, $2, $3, $4, $5, $5 FROM alert_hooks WHERE organisation_id = $1 AND is_active AND $6 = ANY (kinds)`,
      [organisationId, name, JSON.stringify(posted), link, new Date(now), wordsOf(name)?.kind],
    );
  }
}

/** The words of a notice without what is not posted: the whole sentence where nothing of it is missing, else its short form. */
export function postedText(name: string, facts: Facts): string {
  const words = wordsOf(name);
  if (words === undefined) return 'A test of the address for alerts.';
  return words.postsAll === true || words.mails === undefined ? words.sentence(facts) : words.mails.subject(facts);
}
