import type { ProvedRequirement, RequirementState, StandingCheck } from '../../../contract/proof.ts';

export type GlyphState = 'ok' | 'bad' | 'idle' | 'off';

/** The word for each state, its glyph, and the tone of its words. */
export const stateWords: Record<RequirementState, { word: string; glyph: GlyphState; tone: string }> = {
  red: { word: 'Broken', glyph: 'bad', tone: 'bad' },
  proved: { word: 'Proved', glyph: 'ok', tone: 'ok' },
  not_run: { word: 'Not tested here', glyph: 'off', tone: 'quiet' },
  partly: { word: 'In part', glyph: 'idle', tone: 'quiet' },
  open: { word: 'Not built', glyph: 'idle', tone: 'quiet' },
  later: { word: 'Later', glyph: 'idle', tone: 'quiet' },
};

export const checkGlyphs: Record<StandingCheck['state'], GlyphState> = {
  ok: 'ok',
  look: 'idle',
  wrong: 'bad',
  not_run: 'off',
};
export const checkWords: Record<StandingCheck['state'], string> = {
  ok: 'well',
  look: 'worth a look',
  wrong: 'red',
  not_run: 'not run',
};

/**
 * The versions that proved what has not been tested for this one, with how many promises that is: “version 1234567”, or
 * “earlier versions” where there are several.
 */
export function earlierOf(
  requirements: readonly ProvedRequirement[],
): { count: number; by: string; at: string } | null {
  const all = requirements.flatMap(({ earlier }) => (earlier === null ? [] : [earlier]));
  const newest = all.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
  if (newest === undefined) return null;
  const versions = new Set(all.map(({ commit }) => commit));
  return { count: all.length, by: versions.size > 1 ? 'earlier versions' : versionText(newest.commit), at: newest.at };
}

/** @example versionText('25fd8dc21ab9') // 'version 25fd8dc' */
export function versionText(commit: string | null): string {
  return commit === null ? 'an earlier version' : `version ${commit.slice(0, 7)}`;
}

/** What shows it, by kind: “4 tests, proof, live check”. */
export function howText({ evidence, capability, state }: ProvedRequirement): string {
  if (capability !== null && state === 'later') return capability;
  const of = (kind: string) => evidence.filter((one) => one.kind === kind).length;
  const [tests, proofs, live] = [of('test'), of('proof'), of('live')];
  return [
    ...(tests > 0 ? [tests === 1 ? 'test' : `${tests} tests`] : []),
    ...(proofs > 0 ? ['proof'] : []),
    ...(live > 0 ? ['live check'] : []),
  ].join(', ');
}
