/** A site as the target of an act. */
export function siteTarget({ id, domain }: { id: number; domain: string }) {
  return { type: 'site', id, label: domain };
}
