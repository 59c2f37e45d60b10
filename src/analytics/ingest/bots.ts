/** Why a hit is taken for a robot's: stored on the row in `bot_events`, so that the decision can be examined. */
export const botRules = ['ua_pattern', 'ua_missing', 'header_heuristics', 'client_signals', 'data_centre'] as const;

export type BotRule = (typeof botRules)[number];

export type BotEvidence = {
  readonly userAgent: string;
  /** Lower-case request header names, as Node gives them; undefined where there was no request (imports). */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>> | undefined;
  /** `WxH` as the tracker sent it. */
  readonly screen?: string | undefined;
};

/** Says which rule takes a hit for a robot's, or undefined for a person's. */
export function detectBot(_evidence: BotEvidence): { readonly rule: BotRule } | undefined {
  throw new Error('not written yet');
}
