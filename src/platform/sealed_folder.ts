/**
 * A folder of the data directory whose files say nothing byte for byte, and how whoever writes them opens one: for scans
 * of what lies on the disk.
 */
export interface SealedFolder {
  folder: string;
  /**
   * What a file says.
   * @param organisationId opens what belongs to this one alone; whosever it is, without it
   * @returns undefined for what is another's, not whole yet, or of no row
   */
  open(name: string, organisationId?: number): Promise<AsyncIterable<Buffer> | undefined>;
  /** Names of files that a legal hold keeps, whoever is in them. */
  held(organisationId: number): Promise<ReadonlySet<string>>;
}
