import type { Organisation } from '../desk/session.tsx';

export function OrganisationMembers({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
