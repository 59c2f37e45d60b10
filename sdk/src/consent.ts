/** What the page's consent tools have told, in the words of an event (docs/guides/consent.md). */
export type Told = Record<string, string | undefined>;

type Cmp = (...call: unknown[]) => void;
type Page = Window & {
  __tcfapi?: Cmp;
  __gpp?: Cmp;
  dataLayer?: { push(...entries: unknown[]): number } & ArrayLike<ArrayLike<unknown>>;
};

/** Does the browser ask for privacy? Where it does, nothing of a visitor is kept or read. */
export const isPrivate = (): boolean =>
  !!(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl || navigator.doNotTrack === '1';

/** Takes over what is said in the words of Consent Mode, and nothing else of it. */
export const take = (told: Told, said: object): void => {
  for (const [name, value] of Object.entries(said)) if (/^ad_|_storage$/.test(name)) told[name] = value;
};

/**
 * Hears the page's consent tools: Google's consent mode, TCF and GPP. What a page sets by default is no word of its visitor.
 *
 * @param tell carries out each change of `told`
 * @returns call it again and again: a tool may come later than this
 */
export const hearer = (told: Told, tell: (change: () => void) => void): (() => void) => {
  const page = window as Page;
  const heard = new Set<unknown>();
  const hear = (entry: ArrayLike<unknown>) => {
    if (entry?.[0] === 'consent' && entry[1] === 'update') tell(() => take(told, entry[2] as object));
  };
  return () => {
    const layer = page.dataLayer;
    if (layer && !heard.has(layer)) {
      heard.add(layer);
      Array.from(layer).forEach(hear);
      const push = layer.push;
      layer.push = (...entries) => {
        entries.forEach((entry) => {
          hear(entry as ArrayLike<unknown>);
        });
        return push.apply(layer, entries);
      };
    }
    if (page.__tcfapi && !heard.has('tcf')) {
      heard.add('tcf');
      page.__tcfapi(
        'addEventListener',
        2,
        ({ eventStatus, tcString }: { eventStatus?: string; tcString?: string }, isWell: boolean) => {
          if (isWell && /^(tcloaded|useractioncomplete)$/.test(eventStatus as string)) tell(() => (told.tc = tcString));
        },
      );
    }
    if (page.__gpp && !heard.has('gpp')) {
      heard.add('gpp');
      page.__gpp('addEventListener', ({ pingData }: { pingData?: { signalStatus?: string; gppString?: string } }) => {
        if (pingData?.signalStatus === 'ready') tell(() => (told.gpp = pingData.gppString));
      });
    }
  };
};
