/** A place as coarse as COL-14 allows. '' is unknown. */
export type Place = {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** The name of the first-level region, or its ISO 3166-2 code where the database has one. */
  readonly region: string;
  readonly city: string;
  /** Degrees, rounded to one decimal (about 11 km). */
  readonly latitude: number;
  readonly longitude: number;
};

export type Places = {
  /** The place of an address in text form (IPv4, IPv6, IPv4-mapped), undefined when unknown, private or no address. */
  lookup(address: string): Place | undefined;
  /** The credit that the licence of the data asks for, wherever a place is shown; '' where none is due. */
  readonly credit: { readonly text: string; readonly href: string };
  close(): void;
};

/** Opens a table made by `buildPlaces`. Throws with the next step when it is missing or not of this version. */
export function openPlaces(_file: string): Places {
  throw new Error('not written yet');
}

/** Is `out` a table of this version, made from these sources? Costs reading one header and two file sizes. */
export function arePlacesFresh(_files: { v4: string; v6?: string | undefined; out: string }): boolean {
  throw new Error('not written yet');
}

/**
 * Converts DB-IP City Lite (two .mmdb files) or a MaxMind .mmdb (one file with both families, as `v4`) to the compact
 * table, beside `out` first and then renamed over it.
 */
export function buildPlaces(_job: {
  v4: string;
  v6?: string | undefined;
  out: string;
  onProgress?: (share: number) => void;
}): void {
  throw new Error('not written yet');
}
