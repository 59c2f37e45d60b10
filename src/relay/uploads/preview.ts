import type { Mapping } from '../../../contract/mapping.ts';
import { previewRowsMax, type UploadFormat, type UploadPreview } from '../../../contract/relay_uploads.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { hideConversion, hideData } from '../settings/hidden.ts';
import { columnsReadBy, personalColumns, readRow } from './rows.ts';
import { openTable, pathOfColumn, type TableRow } from './table.ts';

/** Values of a column that help whoever maps it. */
const samplesMax = 3;
const shownCharsMax = 120;

/**
 * The first rows of a file and what a mapping makes of them. What is a person's is hidden by the shape of its text.
 * @throws RequestError where the file cannot be read so
 */
export async function previewOf(
  file: UploadedFile,
  size: number,
  format: UploadFormat,
  mapping: Mapping | undefined,
  nowMs: number,
): Promise<Pick<UploadPreview, 'columns' | 'rows' | 'timezone'>> {
  const table = await openTable(file, size, format);
  const first: TableRow[] = [];
  try {
    for await (const row of table.rows) {
      first.push(row);
      if (first.length === previewRowsMax) break;
    }
  } finally {
    await table.rows.return(undefined);
  }
  return previewRows(table, first, mapping, nowMs);
}

/** The same of rows that were read. */
export function previewRows(
  table: { readonly columns: readonly string[]; readonly timezone: string | null },
  first: readonly TableRow[],
  mapping: Mapping | undefined,
  nowMs: number,
): Pick<UploadPreview, 'columns' | 'rows' | 'timezone'> {
  const used = mapping === undefined ? new Set<string>() : columnsReadBy(mapping);
  const personal = mapping === undefined ? new Set<string>() : personalColumns(mapping);
  const shown = first.map((one) => {
    const hidden = (hideData(one.record ?? {}, personal) ?? {}) as Record<string, unknown>;
    return { one, cells: table.columns.map((column) => String(hidden[column] ?? '').slice(0, shownCharsMax)) };
  });
  return {
    columns: table.columns.map((name, at) => ({
      name,
      path: pathOfColumn(name),
      samples: [...new Set(shown.map(({ cells }) => cells[at] ?? '').filter((cell) => cell !== ''))].slice(
        0,
        samplesMax,
      ),
    })),
    timezone: table.timezone,
    rows: shown.map(({ one, cells }) => {
      if (mapping === undefined) return { row: one.row, cells, conversion: null, is_ignored: false, problems: [] };
      const read = readRow(one, mapping, used, nowMs);
      const [conversion] = read.conversions;
      return {
        ...{ row: one.row, cells, conversion: conversion === undefined ? null : hideConversion(conversion) },
        ...{ is_ignored: read.isIgnored, problems: [...read.problems] },
      };
    }),
  };
}
