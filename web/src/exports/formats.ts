import type { ExportFormat } from '../../../contract/exports.ts';

/** What each format is, and what it is for. */
export const formatWords: Readonly<Record<ExportFormat, { name: string; holds: string; use: string }>> = {
  plausible: {
    name: 'Tables by day',
    holds: 'A ZIP of ten CSV files in the layout of Plausible: visitors, sources, pages, places, devices and more.',
    use: 'To move to another desk or to Plausible, or to open in a spreadsheet.',
  },
  ndjson: {
    name: 'Events, NDJSON',
    holds: 'Every event on a line of its own as JSON, in the order of time, without any visitor id.',
    use: 'For a program of your own. To move, take the tables: events alone do not form visits.',
  },
  parquet: {
    name: 'Events, Parquet',
    holds: 'The same events as typed columns, a ZIP with one file for each day.',
    use: 'For a data warehouse or a notebook: DuckDB, pandas, BigQuery, ClickHouse.',
  },
};
