import type { Organisation } from '../desk/session.tsx';

export function OrganisationTeams({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
