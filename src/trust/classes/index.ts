export { type Column, findUnclassified, findUnguarded, ownerless, readPostgresColumns } from './catalogue.ts';
export { type ClassId, classes, type DataClass, fieldSealed, readClass } from './classes.ts';
export { findUndeclared } from './files.ts';
