import { type Clock, repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { type History, headsOf, nextLine, type SignedCheckpoint, signerOf, takeLine } from './checkpoint.ts';
import { openCheckpointFile } from './checkpoint_file.ts';
import { zeroHash } from './entry.ts';
import { type Head, merklePath, type Step } from './merkle.ts';
import { readPage } from './page.ts';
import { linkOf, readHead, readRows, type StoredHead, seeChain } from './stored.ts';
import { addressDays, type Finding, findingsMax, openVerifier, type Verifier } from './verify.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The first look for what is too old comes soon after the start, so that a desk that is started daily has one too. */
const firstRetentionMs = 5 * 60_000;
/** Rows read at once: a few milliseconds of this thread. */
const pageRows = 1_000;
/** Pages in one transaction: a second, for which a connection is not somebody else's. */
const pagesAtOnce = 50;
/** Entries that lose their network, or go, in one statement: well under a second. */
const retainedRows = 20_000;
/** Entries that one look goes on by, and how long what was verified counts. */
const lookRows = 20_000;
const lookedMs = hourMs;

/** Signs where all chains stand, lets old entries go, and holds the chains against what was signed. */
export interface Keeper {
  publicKey: string;
  /** Signs where every chain stands now. Resolves when the line is on disk. */
  checkpoint(): Promise<void>;
  /** Drops the networks of entries that are older than ninety days. @returns how many */
  dropAddresses(): Promise<number>;
  /** Entries of a chain from before a moment that a signed checkpoint of before it covers, and the first and last number. */
  oldEntries(chain: number, moment: number): Promise<{ rows: number; oldest: Date | null; keys: string | null }>;
  /** Lets them go. @returns how many */
  removeEntries(chain: number, moment: number): Promise<number>;
  /** What shows that this chain was signed: its newest head, and where its beginning was removed. */
  proofs(organisation: number, base: { seq: number; hash: string }): Promise<Proof[]>;
  newest(): Promise<SignedCheckpoint | undefined>;
  verify(): Promise<Verification>;
  /** Goes on with one chain for a moment. Asked again until it is whole. */
  look(organisation: number): Promise<Look>;
  /** Begins the hourly and the daily work. */
  begin(): void;
  stop(): Promise<void>;
}

export interface Proof {
  checkpoint: SignedCheckpoint;
  head: Head;
  path: Step[];
}

export interface Look {
  head: StoredHead | undefined;
  /** Entries up to this one were held against each other. */
  seq: number;
  at: string | null;
  isWhole: boolean;
  findings: Finding[];
  checkpoint: { at: string; seq: number } | undefined;
}
interface Progress {
  seq: number;
  hash: string;
  at: string | null;
  since: number;
  findings: Finding[];
}
type Signed = Map<number, { seq: number; hash: string; at: string }[]>;

export interface Verification {
  entries: number;
  chains: number;
  checkpoints: number;
  newest: SignedCheckpoint | undefined;
  findings: Finding[];
}

export function openKeeper(parts: {
  postgres: Postgres;
  keys: KeyRing;
  clock: Clock;
  log: Log;
  dataDir: string;
}): Keeper {
  const { postgres, clock, log } = parts;
  const file = openCheckpointFile(parts.dataDir);
  const signer = signerOf(parts.keys.derive('audit-checkpoint'));
  let reading: Promise<History> | undefined;
  /** What the file says of each chain, so that a look at one need not read it again. */
  const signed: Signed = new Map();
  /** How far each chain was held against itself, for an hour. */
  const progress = new Map<number, Progress>();
  let turn: Promise<unknown> = Promise.resolve();
  const timers: (() => void)[] = [];

  const history = () => {
    reading ??= file.mend().then(() => file.read(undefined, (line, now) => remember(signed, line, now)));
    return reading;
  };
  /** One after another: a line takes in the one before it. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work, work);
    turn = next.catch(() => {});
    return next;
  }
  const everyHead = () =>
    postgres.audit((sql) =>
      sql.query<Head>(
        `SELECT organisation_id AS organisation, seq, encode(hash, 'hex') AS hash FROM audit.every_head()`,
      ),
    );
  function checkpoint(): Promise<void> {
    return inTurn(async () => {
      const before = await history();
      const line = nextLine(before, await everyHead(), signer, new Date(clock.now()).toISOString());
      await file.append(line);
      const problem = takeLine(before, line, signer.publicKey);
      remember(signed, line, before);
      if (problem !== undefined) log.warn('audit.checkpoint_differs', { line: before.lines });
    });
  }

  /** What a chain was signed as before a moment: entries up to there may go, since the rest still verifies from it. */
  async function signedBefore(moment: number): Promise<Map<number, { seq: number; hash: string }>> {
    const old = new Map<number, { seq: number; hash: string }>();
    await file.read(signer.publicKey, (_line, seen, problem) => {
      if (problem !== undefined || seen.newest === undefined || Date.parse(seen.newest.at) >= moment) return;
      for (const { organisation, seq, hash } of seen.heads.values()) old.set(organisation, { seq, hash });
    });
    return old;
  }

  async function dropAddresses(): Promise<number> {
    let addresses = 0;
    const limit = new Date(clock.now() - addressDays * dayMs);
    for (const { organisation } of await everyHead()) {
      const head = await seeChain(postgres, organisation, (sql) => readHead(sql, organisation));
      if (head === undefined) continue;
      for (let after = head.base_seq; after < head.seq; after += retainedRows)
        addresses += await deleted('drop_audit_addresses($1, $2, $3, $4)', [
          ...[organisation, after, Math.min(after + retainedRows, head.seq), limit],
        ]);
    }
    if (addresses > 0) log.info('audit.addresses_dropped', { addresses });
    return addresses;
  }

  async function oldEntries(chain: number, moment: number) {
    const read = (through: number | undefined) =>
      seeChain(postgres, chain, (sql) =>
        sql.one<{ rows: number; oldest: Date | null; keys: string | null }>(
          `SELECT count(*) AS rows, min(at) AS oldest, min(seq) || '-' || max(seq) AS keys FROM audit.entries
           WHERE organisation_id = $1 AND at < $2 AND ($3::bigint IS NULL OR seq <= $3)`,
          [chain, new Date(moment), through ?? null],
        ),
      );
    if ((await read(undefined)).rows === 0) return { rows: 0, oldest: null, keys: null };
    // Of what no signed line covers yet, the next one has to come first: within the hour.
    const signed = (await signedBefore(moment)).get(chain);
    return read(signed?.seq ?? 0);
  }

  async function removeEntries(chain: number, moment: number): Promise<number> {
    // Also where the beginning was moved already: a desk that stopped in between has the rest to remove.
    const signed = (await signedBefore(moment)).get(chain);
    if (signed === undefined) return 0;
    let entries = 0;
    for (let gone = retainedRows; gone === retainedRows; entries += gone)
      gone = await deleted("delete_audit_entries($1, $2, decode($3, 'hex'), $4, $5)", [
        ...[chain, signed.seq, signed.hash, new Date(moment), retainedRows],
      ]);
    return entries;
  }

  async function deleted(call: string, params: unknown[]): Promise<number> {
    const { gone } = await postgres.retention((sql) =>
      sql.one<{ gone: number }>(`SELECT retention.${call} AS gone`, params),
    );
    return gone;
  }

  async function verify(): Promise<Verification> {
    const findings: Finding[] = [];
    const said: Signed = new Map();
    const seen = await file.read(signer.publicKey, (line, now, problem) => {
      if (problem !== undefined) {
        findings.push({ kind: 'unsigned', organisation: 0, seq: 0, sentence: problem });
        return;
      }
      remember(said, line, now);
    });
    const heads = await everyHead();
    const chains = new Set([...heads.map((head) => head.organisation), ...said.keys()]);
    let entries = 0;
    let read = 0;
    for (const organisation of chains) {
      const one = await verifyChain(organisation, said.get(organisation) ?? []);
      entries += one.entries;
      findings.push(...one.findings);
      read++;
      if (findings.length >= findingsMax) break;
    }
    return { entries, chains: read, checkpoints: seen.lines, newest: seen.newest, findings };
  }

  async function verifyChain(organisation: number, signed: { seq: number; hash: string; at: string }[]) {
    const head = await seeChain(postgres, organisation, (sql) => readHead(sql, organisation));
    const base = { seq: head?.base_seq ?? 0, hash: head?.base_hash ?? zeroHash };
    const verifier = openVerifier({
      organisation,
      base,
      signed: signed.filter(({ seq }) => seq > base.seq),
      nowMs: clock.now(),
    });
    await follow(verifier, organisation, { after: base.seq, through: head?.seq ?? 0 });
    const { entries, findings } = verifier.end(head);
    if (base.seq > 0 && !signed.some(({ seq, hash }) => seq === base.seq && hash === base.hash))
      findings.unshift({
        kind: 'unsigned',
        organisation,
        seq: base.seq,
        sentence: `Entries up to ${base.seq} of organisation ${organisation} were removed, and no signed checkpoint says that the chain stood there.`,
      });
    return { entries, findings };
  }

  /**
   * Leads a verifier along a chain. The database writes the next page while this thread computes hashes over the last; one
   * with anything that is not right is read again, row by row, by which it says what is wrong.
   * @returns the time of the last entry
   */
  async function follow(
    verifier: Verifier,
    organisation: number,
    { after, through }: { after: number; through: number },
  ): Promise<string | undefined> {
    let at: string | undefined;
    let from = after;
    /** @returns whether there may be more */
    async function some(sql: Sql): Promise<boolean> {
      const pageAfter = (seq: number) => {
        const page = readPage(sql, organisation, { after: seq, through, count: pageRows });
        // Whoever stops in the middle asks for no answer any more.
        page.catch(() => {});
        return page;
      };
      let next = pageAfter(from);
      for (let pages = 1; ; pages++) {
        const page = await next;
        const { last } = page;
        if (last === null) return false;
        const isLast = pages === pagesAtOnce;
        if (!isLast) next = pageAfter(last);
        // The question is on its way before this thread has no time for it.
        await new Promise((done) => setImmediate(done));
        const taken = verifier.takePage(page);
        if (taken !== undefined) at = taken;
        else
          for (const row of await readRows(sql, organisation, from, last)) {
            const link = linkOf(row);
            verifier.take(link);
            at = link.entry.at;
          }
        from = last;
        if (isLast) return true;
      }
    }
    while (await seeChain(postgres, organisation, some));
    return at;
  }

  async function look(organisation: number): Promise<Look> {
    await history();
    const head = await seeChain(postgres, organisation, (sql) => readHead(sql, organisation));
    const list = signed.get(organisation) ?? [];
    const last = list.at(-1);
    const base = { seq: head?.base_seq ?? 0, hash: head?.base_hash ?? zeroHash };
    const before = progress.get(organisation);
    const known =
      before !== undefined && before.seq >= base.seq && clock.monotonic() - before.since < lookedMs
        ? before
        : { ...base, at: null, since: clock.monotonic(), findings: [] };
    const end = head?.seq ?? 0;
    const through = Math.min(end, known.seq + lookRows);
    const isWhole = through === end;
    const verifier = openVerifier({
      organisation,
      base: known,
      signed: list.filter(({ seq }) => seq > known.seq && (isWhole || seq <= through)),
      nowMs: clock.now(),
    });
    const at = (await follow(verifier, organisation, { after: known.seq, through })) ?? known.at;
    const { findings, last: reached } = verifier.end(isWhole ? head : undefined);
    const now = {
      seq: reached.seq,
      hash: reached.hash,
      at,
      since: known.since,
      findings: [...known.findings, ...findings],
    };
    progress.set(organisation, now);
    return { head, ...now, isWhole, checkpoint: last && { at: last.at, seq: last.seq } };
  }

  return {
    publicKey: signer.publicKey,
    look,
    checkpoint,
    dropAddresses: () => inTurn(dropAddresses),
    oldEntries,
    removeEntries: (chain, moment) => inTurn(() => removeEntries(chain, moment)),
    verify,
    newest: async () => (await history()).newest,
    async proofs(organisation, base) {
      const found: Proof[] = [];
      const seen = await file.read(undefined, (_line, now, problem) => {
        const head = now.heads.get(organisation);
        if (problem !== undefined || head === undefined || now.newest === undefined || found.length > 0) return;
        if (base.seq > 0 && head.seq === base.seq && head.hash === base.hash)
          found.push({ checkpoint: now.newest, head, path: merklePath(headsOf(now), organisation) });
      });
      const head = seen.heads.get(organisation);
      if (head !== undefined && seen.newest !== undefined)
        found.push({ checkpoint: seen.newest, head, path: merklePath(headsOf(seen), organisation) });
      return found;
    },
    begin() {
      const onError = (error: unknown) => log.error('audit.keeping_failed', {}, error);
      // From full hour to full hour, however long a round took and wherever the wall clock has jumped.
      const toNextHour = () => hourMs - (clock.now() % hourMs);
      let off = clock.after(toNextHour(), hourly);
      function hourly() {
        off = clock.after(toNextHour(), hourly);
        checkpoint().catch(onError);
      }
      timers.push(() => off());
      timers.push(repeat(clock, dayMs, () => inTurn(dropAddresses), { firstMs: firstRetentionMs, onError }));
    },
    async stop() {
      for (const off of timers.splice(0)) off();
      const before = await history();
      const heads = await everyHead();
      if (heads.some(({ organisation, hash }) => before.heads.get(organisation)?.hash !== hash)) await checkpoint();
    },
  };
}

function remember(signed: Signed, line: string, now: History): void {
  const { heads } = JSON.parse(line) as { heads: Record<string, [number, string]> };
  for (const [organisation, [seq, hash]] of Object.entries(heads)) {
    const list = signed.get(Number(organisation)) ?? [];
    list.push({ seq, hash, at: now.newest?.at ?? '' });
    signed.set(Number(organisation), list);
  }
}
