import type { Organisation } from '../desk/session.tsx';

export function OrganisationRoles({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
