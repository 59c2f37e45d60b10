import type { AccessKind } from '../../platform/access.ts';
import { actOf } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import { relayChanged } from '../changes.ts';
import type { SettingsHouse } from './parts.ts';
import { cameOf, sourceRow, sourceRows } from './source_rows.ts';

/** Addresses of sources, for the review of access: whoever has one can send, and nobody can say who has it. */
export function sourceAccess(house: SettingsHouse): AccessKind {
  const { clock, audit } = house;
  return {
    ...{ kind: 'source', permission: 'relay.manage', isOfPerson: false },
    async list(sql, organisationId) {
      const rows = (await sourceRows(sql, clock.now())).filter(({ has_address }) => has_address);
      const came = rows.length === 0 ? undefined : await cameOf(house, organisationId);
      return rows.map((row) => ({
        ...{ id: row.id, label: row.name, since: row.created_at.toISOString().slice(0, 10) },
        gives: [
          'whoever has its address',
          ...(row.signature_scheme === null ? [] : [`signed as ${row.signature_scheme}`]),
        ].join(', '),
        ...(came !== undefined && { last_used: dayOf(came.get(row.id)?.lastMs) }),
      }));
    },
    /** The address ends, and the one before it; source, mapping and routes stay. */
    async remove(sql, organisationId, id, request) {
      const row = await sourceRow(sql, id, clock.now());
      if (!row.has_address) throw new RequestError('not_found', 'This source has no address.');
      await sql.run(
        'UPDATE relay_sources SET address_digest = NULL, former_digest = NULL, former_until = NULL WHERE id = $1',
        [id],
      );
      await audit.record(sql, organisationId, {
        ...{ action: 'relay.address_ended', ...actOf(request) },
        targets: [{ type: 'relay_source', id, label: row.name }],
      });
    },
    after: relayChanged,
  };
}

function dayOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString().slice(0, 10);
}
