import { type PaperKind, paperKinds, paperNames } from '../../../contract/documents.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { utcDay } from '../../platform/zone.ts';
import type { DeskFacts } from './desk_facts.ts';
import { writeReceipts } from './telling.ts';
import { digestOf, publish, readVersions, review } from './versions.ts';
import { writePaper } from './write.ts';

/** Who said who the new controller is, and when. */
interface Announced {
  personId: number;
  atMs: number;
  nowMs: number;
}

/**
 * The published documents of an organisation that passes to a new controller: they name the one before. What differs in nothing
 * but that was read, as far as it is the same, and the rest was entered by who announced the transfer; so it gets a version on
 * the day of the transfer. A document of which something else has changed unread, that lacks a fact of the new controller, or of
 * which a version is to come, waits for a person, and its page says so.
 */
export function openRenewal(facts: DeskFacts) {
  return {
    prepare: () => facts.prepare(),

    /** @returns the kinds of which the version that holds says exactly what the facts say */
    async current(sql: Sql, organisationId: number, nowMs: number): Promise<PaperKind[]> {
      const versions = await readVersions(sql, organisationId);
      const known = await facts.of(sql, organisationId);
      return paperKinds.filter((kind) => {
        const newest = versions.find((one) => one.kind === kind);
        return (
          newest !== undefined &&
          newest.effective_on <= utcDay(nowMs) &&
          newest.digest === digestOf(writePaper(kind, known).paper)
        );
      });
    },

    /**
     * In the same transaction, after the new identity is written. Members hear of all of them in one notice, whose receipts
     * are written here.
     * @returns the names of the documents that have a new version
     */
    async renew(sql: Sql, organisationId: number, kinds: readonly PaperKind[], by: Announced): Promise<string[]> {
      const known = await facts.of(sql, organisationId);
      const renewed: string[] = [];
      for (const kind of kinds) {
        const { paper, gaps } = writePaper(kind, known);
        const [newest] = await readVersions(sql, organisationId, kind);
        const digest = digestOf(paper);
        if (gaps.length > 0 || newest?.digest === digest) continue;
        await review(sql, organisationId, kind, digest, { personId: by.personId, nowMs: by.atMs });
        const version = await publish(
          sql,
          organisationId,
          { paper, gaps, effectiveOn: utcDay(by.nowMs), isMaterial: true },
          { personId: by.personId, nowMs: by.nowMs },
        );
        await writeReceipts(sql, { organisationId, kind, version, nowMs: by.nowMs });
        renewed.push(paperNames[kind]);
      }
      return renewed;
    },
  };
}
export type Renewal = ReturnType<typeof openRenewal>;
