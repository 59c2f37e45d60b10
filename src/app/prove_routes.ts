import { z } from 'zod';
import { checkRun, type ProofPage, proofExportQuestion, proofPage } from '../../contract/proof.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, type Principal, type Route } from '../platform/http/route.ts';
import { csvCell } from '../trust/audit/index.ts';
import {
  countsOf,
  digestOfTree,
  productRoot,
  readNamed,
  readProved,
  requirementsOf,
  standingOf,
  subjects,
} from '../trust/proof/index.ts';
import type { Prover } from './prove.ts';

/** Runs that are read to find the last result of each check, and those that are shown. */
const comparedRuns = 40;
const shownRuns = 30;

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });

/** Trust → Proof, and the runs of the live checks for who runs the desk. */
export function proofRoutes({ checks, runs, prove, clock }: Prover, root = productRoot): Route[] {
  // Of the sources as this process has loaded them: what is changed on the disk meanwhile does not run here.
  let tree: string | undefined;

  async function pageFor(organisation: number, isOperator: boolean): Promise<ProofPage> {
    const last = await runs.read(comparedRuns);
    const standing = standingOf(checks, last, isOperator);
    for (const { id, own } of checks) {
      const shown = standing.find(({ check }) => check === id);
      if (own === undefined || shown === undefined) continue;
      const { state, fact, todo = null } = await own(organisation);
      Object.assign(shown, { state, fact, todo, at: new Date(clock.now()).toISOString() });
    }
    tree ??= digestOfTree(root);
    const here = tree;
    const proved = readProved(root);
    const requirements = requirementsOf({ named: readNamed(), proved, tree: here, checks: standing });
    const newest = [...proved.values()].filter((one) => one.tree === here).sort((a, b) => (a.at < b.at ? 1 : -1))[0];
    const whole = last.find(({ kind }) => kind !== 'daily');
    return {
      counts: countsOf(requirements),
      tests: { at: newest?.at ?? null, commit: newest?.commit ?? null },
      subjects: subjects.map(({ name, promise }) => ({ name, promise })),
      requirements,
      checks: standing,
      run:
        whole === undefined
          ? null
          : { made_at: whole.made_at, kind: whole.kind, worst: whole.worst, signature: whole.signature },
      key_name: runs.keyName,
    };
  }

  async function* csvOf(page: ProofPage, asked: z.infer<typeof proofExportQuestion>): AsyncGenerator<string> {
    const line = (cells: readonly (string | null)[]) => `${cells.map((cell) => csvCell(cell ?? '')).join(',')}\r\n`;
    yield line(['id', 'subject', 'class', 'promise', 'control', 'state', 'missing', 'proved_by', 'last']);
    for (const one of page.requirements) {
      if (asked.subject !== undefined && one.subject !== asked.subject) continue;
      if (asked.state !== undefined && one.state !== asked.state) continue;
      const shownBy = one.evidence
        .map(({ kind, file, title, state }) => `${kind} ${file ?? title}: ${state}`)
        .join('; ');
      const missing = one.missing ?? (one.capability === null ? null : `belongs to ${one.capability}`);
      yield line([one.id, one.subject, one.class, one.promise, one.control, one.state, missing, shownBy, one.at]);
    }
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/proof',
      access: 'audit.read',
      summary:
        'Every promise of the ledger with what keeps it, what shows it, when and with which result; and the live checks.',
      params: ofOrganisation,
      answer: proofPage,
      async handle(request) {
        request.allow(request.params.organisation);
        return {
          body: await pageFor(request.params.organisation, (request.principal as Principal).isOperator === true),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/proof/export',
      access: 'audit.read',
      summary: 'The same as a table (CSV), or the part of it that is asked for.',
      params: ofOrganisation,
      query: proofExportQuestion,
      answersFile: true,
      async handle(request) {
        request.allow(request.params.organisation);
        const page = await pageFor(request.params.organisation, (request.principal as Principal).isOperator === true);
        return { stream: { pieces: csvOf(page, request.query), type: 'text/csv; charset=utf-8', name: 'proof.csv' } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/proof/runs',
      access: 'operator',
      summary: 'What the live checks of this desk found, the newest run first.',
      answer: z.object({ runs: z.array(checkRun) }),
      handle: async () => ({ body: { runs: await runs.read(shownRuns) } }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/proof/runs',
      access: 'operator',
      summary: 'Runs every live check now, which takes some seconds.',
      answer: checkRun,
      handle: async (request) => ({ body: await prove('asked', actOf(request)) }),
    }),
  ];
}
