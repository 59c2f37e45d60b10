import type { OrganisationRole } from './wire.ts';

/** `privacy-officer` → `Privacy officer`; a custom role is called what its people call it. */
export function roleText(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What another role changes for somebody, in words: what they can do from now on, and what no longer. */
export function changeText(
  from: OrganisationRole | undefined,
  to: OrganisationRole | undefined,
  meaning: (permission: string) => string,
): { gains: string[]; losses: string[] } {
  const before = from?.permissions ?? [];
  const after = to?.permissions ?? [];
  return {
    gains: after.filter((one) => !before.includes(one)).map(meaning),
    losses: before.filter((one) => !after.includes(one)).map(meaning),
  };
}
