import { z } from 'zod';
import {
  type Receiver,
  type RegisterAnswer,
  receiver,
  receiverStatement,
  registerAnswer,
} from '../../../contract/register.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { GateRefusal, HostCalls } from '../../platform/outbound/index.ts';
import type { House } from '../../platform/subject.ts';
import type { RegisterGate } from './gate.ts';
import { knownOf, missingIn, refusedBecause } from './judge.ts';
import { mainHost, type ReceiverRow, receiversOf, rowOf } from './receivers.ts';
import { readStatements, type Statement, state } from './statements.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofReceiver = z.object({ receiver: z.string().max(20) });

/** The register, under Trust; and what who runs the desk states in it. */
export function registerRoutes(house: House, gate: RegisterGate): Route[] {
  const { config, clock, postgres, outbound, mail, audit } = house;
  const countedSince = new Date(clock.now()).toISOString();

  async function rows(): Promise<ReceiverRow[]> {
    const { server } = await mail.servers.current();
    return receiversOf(config, server?.host);
  }

  function shown(row: ReceiverRow, said: Statement | undefined, calls: readonly HostCalls[]): Receiver {
    const known = knownOf(row, said);
    const { statement } = known;
    const last = Math.max(...calls.map(({ lastMs }) => lastMs ?? 0));
    return {
      ...{ id: row.id, label: row.label, role: row.role, why: row.why, sent: row.sent, classes: [...row.classes] },
      hosts: 'chosenBy' in row.hosts ? [] : [...row.hosts],
      chosen_by: 'chosenBy' in row.hosts ? row.hosts.chosenBy : null,
      ...{ legal_name: known.legalName, country: known.country, basis: known.basis },
      ...{ contract: statement?.contract ?? null, contract_on: statement?.contract_on ?? null },
      ...{ policy_url: known.policyUrl, terms_url: known.termsUrl, checked_on: statement?.checked_on ?? null },
      version: said?.version ?? 0,
      missing: missingIn(known, config.regions),
      refused_because: refusedBecause(known, config.regions) ?? null,
      calls: calls.reduce((sum, one) => sum + one.calls, 0),
      last_call: last > 0 ? new Date(last).toISOString() : null,
      refusals: refusalsIn(calls),
    };
  }

  async function register(): Promise<RegisterAnswer> {
    const all = await rows();
    const statements = await postgres.system(readStatements);
    const calls = outbound.hosts();
    const unregistered = new Map<string, number>();
    const of = new Map<string, HostCalls[]>(all.map(({ id }) => [id, []]));
    for (const one of calls) {
      const row = rowOf(all, one);
      if (row !== undefined) of.get(row.id)?.push(one);
      else unregistered.set(one.purpose, (unregistered.get(one.purpose) ?? 0) + (one.refusals.not_registered ?? 0));
    }
    return {
      receivers: all.map((row) => shown(row, statements.get(row.id), of.get(row.id) ?? [])),
      pinned_to: [...config.regions],
      // Purposes alone: a host may be a customer's.
      unregistered: [...unregistered].map(([purpose, count]) => ({ purpose, count })),
      counted_since: countedSince,
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/subprocessors',
      access: 'audit.read',
      summary:
        'Everybody whom this desk can call: who, where, what for, on what basis, what is missing, and what was refused.',
      params: ofOrganisation,
      answer: registerAnswer,
      async handle(request) {
        request.allow(request.params.organisation);
        return { body: await register() };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/subprocessors/:receiver',
      access: 'operator',
      summary: 'States who a receiver is, where it processes and what a transfer rests on, as a further version.',
      params: ofReceiver,
      body: receiverStatement,
      answer: receiver,
      async handle(request) {
        const row = (await rows()).find(({ id }) => id === request.params.receiver);
        const host = row === undefined ? undefined : mainHost(row);
        if (row === undefined || row.role === 'own' || host === undefined)
          throw new RequestError('not_found', 'There is no receiver of this name that anything could be stated of.');
        const personId = (request.principal as Principal).id;
        await postgres.person(personId, async (sql) => {
          const said = request.body;
          const version = await state(sql, { receiver: row.id, host, atMs: clock.now() }, said);
          await audit.recordOfPerson(sql, personId, {
            ...{ action: 'receiver.stated', ...actOf(request) },
            targets: [{ type: 'receiver', id: row.id, label: row.label }],
            details: { version, host, country: said.country, basis: said.basis ?? null, legal_name: said.legal_name },
          });
        });
        gate.forget();
        const { receivers } = await register();
        return { body: receivers.find(({ id }) => id === row.id) as Receiver };
      },
    }),
  ];
}

function refusalsIn(calls: readonly HostCalls[]): { reason: GateRefusal; count: number }[] {
  const sums = new Map<GateRefusal, number>();
  for (const { refusals } of calls)
    for (const [reason, count] of Object.entries(refusals) as [GateRefusal, number][])
      sums.set(reason, (sums.get(reason) ?? 0) + count);
  return [...sums].map(([reason, count]) => ({ reason, count }));
}
