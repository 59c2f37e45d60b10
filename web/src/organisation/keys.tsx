import type { Organisation } from '../desk/session.tsx';

export function OrganisationKeys({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
