export { type VisitColumn, visitColumns } from './day.ts';
export { packedFiles } from './file_classes.ts';
export { openPackedDays, type PackedDays, packedLimits } from './packed_days.ts';
export {
  type Key,
  type PackedAtom,
  type PackedList,
  type PackedQuestion,
  type PackedRows,
  packedAtoms,
  type Test,
} from './question.ts';
