import type { Organisation } from '../desk/session.tsx';

export function OrganisationGeneral({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
