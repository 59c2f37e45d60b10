import type { House } from '../../platform/subject.ts';
import type { IncidentRow } from './register.ts';

const ofVisitors: readonly string[] = ['D2', 'D3', 'D4'];
const ofMembers: readonly string[] = ['D7', 'D8', 'D16'];
const second = (at: Date) => at.toISOString().slice(0, 19).replace('T', ' ');

interface Count {
  of: 'visitors' | 'sites' | 'members';
  count: number;
  question: string;
}

/** How many an incident touched, from its beginning until it was known. Counts only, asked anew each time: nothing of it is kept. */
export async function affectedBy(
  { postgres, warehouse }: Pick<House, 'postgres' | 'warehouse'>,
  organisationId: number,
  incident: IncidentRow,
): Promise<Count[]> {
  const span = `from ${second(incident.began_at)} to ${second(incident.known_at)} UTC`;
  const { sites, members } = await postgres.tenant(organisationId, async (sql) => ({
    // A site that went to another organisation is no more ours to count.
    sites: await sql.query<{ id: number }>(
      'SELECT id FROM sites WHERE organisation_id = $1 AND (cardinality($2::bigint[]) = 0 OR id = ANY ($2)) ORDER BY id',
      [organisationId, incident.site_ids],
    ),
    members: await sql.one<{ n: number }>('SELECT count(*) AS n FROM memberships WHERE organisation_id = $1', [
      organisationId,
    ]),
  }));
  const touches = (some: readonly string[]) => incident.classes.some((one) => some.includes(one));
  const counts: Count[] = [
    {
      ...{ of: 'sites', count: sites.length },
      question:
        incident.site_ids.length === 0
          ? 'All sites that the organisation has now.'
          : 'Named sites that are still here.',
    },
  ];
  if (touches(ofVisitors)) {
    let count = 0;
    for (const { id } of sites) {
      const [row] = await warehouse.read<{ n: string }>(
        `SELECT uniqExact(id_day, visitor_id) AS n FROM events
         WHERE site_id = {site:UInt64} AND time >= {from:DateTime('UTC')} AND time <= {to:DateTime('UTC')}`,
        { site: id, from: second(incident.began_at), to: second(incident.known_at) },
      );
      count += Number(row?.n ?? 0);
    }
    const question = `Different visitors with a stored event ${span}, on each of these sites and each day for itself.`;
    counts.unshift({ of: 'visitors', count, question });
  }
  if (touches(ofMembers))
    counts.push({ of: 'members', count: members.n, question: 'Members that the organisation has now.' });
  return counts;
}
